"""The configs describe; only building one imports numpy, and torch only where differential equations are solved."""

import subprocess
import sys


def test_the_configs_need_neither_numpy_nor_torch():
    code = (
        "import sys, sbicore_benchmarks as b; configs = [getattr(b, name)() for name in b.__all__]\n"
        "assert {'name': 'two_moons'} in [config.to_dict() for config in configs]\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
        "b.TwoMoons().sample(3, seed=1); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
