"""The config describes; only building it imports numpy, and nothing here imports torch."""

import subprocess
import sys


def test_the_config_needs_neither_numpy_nor_torch():
    code = (
        "import sys, sbicore_benchmarks as b; config = b.TwoMoons()\n"
        "assert config.to_dict() == {'name': 'two_moons'}\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
        "config.sample(3, seed=1); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
