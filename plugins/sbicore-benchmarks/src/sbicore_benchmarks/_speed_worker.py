"""Time sbicore's default flow matching in a process of its own; print one JSON line.

Run by `sbicore_benchmarks.speed`; `peers/bayesflow_speed.py` measures the same things of BayesFlow.
"""

from __future__ import annotations

import json
import platform
import sys
from typing import Any

import numpy as np

import sbicore

from ._records import environment
from ._training import draw, train


def measure(
    path: str, *, epochs: int, batch_size: int, draws: int, compile: bool, subnet_kwargs: dict[str, Any]
) -> dict[str, Any]:
    """Times of a training step and of draws for one observation; the second call counts."""
    arrays = np.load(path)
    data = {"parameters": arrays["parameters"], "observables": arrays["observables"]}
    approximator, training = train(
        data,
        epochs=epochs,
        batch_size=batch_size,
        seed=1,
        validation_fraction=0.0,
        compile=compile,
        subnet_kwargs=subnet_kwargs,
    )
    first, second = (draw(approximator, arrays["observable"], draws, seed=1)[1] for _ in range(2))
    subnet = sbicore.configure("flow_matching", subnet_kwargs=subnet_kwargs).subnet
    return {
        "parameters": training["parameters"],
        "network": f"{'x'.join(map(str, subnet.widths))}, {subnet.conditioning}",
        "step_ms": training["step_ms"],
        "first_epoch_seconds": training["first_epoch_seconds"],
        "compiled": training["compiled"],
        "draw_seconds": second["sampling_seconds"],
        "first_draw_seconds": first["sampling_seconds"],
        "evaluations": second["evaluations"],
        "python": platform.python_version(),
        "versions": environment()["versions"],
    }


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], **json.loads(sys.argv[2]))))
