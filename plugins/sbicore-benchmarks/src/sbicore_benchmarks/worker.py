"""Train and draw with sbicore in a process of its own: `python -m sbicore_benchmarks.worker JOB.json`.

The job is a JSON object; the workers of other tools in `peers/` read the same one, each in its own environment.

    data        an .npz with parameters (N, D), observables (N, C), observed (O, C)
    simulator   instead of rows: the task to simulate while training, or null
    method      name of the inference network, or ratio
    arguments   further arguments of `sbicore.build`
    fit         options of `fit`
    draws       draws for each observation; written to `out` as float32 (O, draws, D)
    densities   how many log densities to time, or 0
    seed, threads, progress

The last line of standard output is a JSON object with the facts of the run.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["work"]


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Do a job; write the draws, return the facts."""
    import numpy as np
    import torch

    import sbicore

    from ._records import versions
    from .contenders import RATIO
    from .peers._job import peak_memory
    from .tasks import simulator

    torch.set_num_threads(job["threads"])
    with np.load(job["data"]) as arrays:
        data = {name: arrays[name] for name in ("parameters", "observables")} if not job["simulator"] else None
        observed = arrays["observed"]
        known = {name: arrays[name][: job["densities"]] for name in arrays.files if name == "parameters"}
    roles: dict[str, Any] = {"inference_variables": ["parameters"], "inference_conditions": ["observables"]}
    sampling: dict[str, Any] = {}
    if job["method"] == RATIO:
        approximator: Any = sbicore.RatioApproximator(**roles, **job["arguments"])
        low, high = (torch.tensor(side) for side in job["arguments"]["bounds"]["parameters"])
        sampling["prior"] = torch.distributions.Independent(torch.distributions.Uniform(low, high), 1)
    else:
        approximator = sbicore.build(job["method"], **roles, **job["arguments"])
    source: Any = data if data is not None else simulator(job["simulator"])
    started = time.perf_counter()
    history = approximator.fit(source, seed=job["seed"], progress=job["progress"], **job["fit"])
    training_seconds = time.perf_counter() - started
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    draws, seconds, evaluations = [], [], None
    for row in observed:
        started = time.perf_counter()
        drawn, report = approximator.sample(
            {"observables": row[None]}, job["draws"], seed=job["seed"], report=True, progress=False, **sampling
        )
        seconds.append(time.perf_counter() - started)
        draws.append(drawn["parameters"][0])
        evaluations = report.evaluations
    np.save(job["out"], np.stack(draws).astype(np.float32))
    density_seconds = None
    if job["densities"] and "log_prob" in approximator.config.capabilities:
        rows = {**known, "observables": observed[:1]}
        for _ in range(2):
            started = time.perf_counter()
            approximator.log_prob(rows, seed=job["seed"], progress=False)
            density_seconds = time.perf_counter() - started
    epochs = len(history.seconds)
    return {
        "network": job["method"],
        "parameters": sum(p.numel() for p in approximator.parameters() if p.requires_grad),
        "steps": history.steps,
        "epochs": epochs,
        "training_seconds": training_seconds,
        "step_ms": 1e3 * statistics.median(history.seconds[1:] or history.seconds) * epochs / history.steps,
        "first_epoch_seconds": history.seconds[0],
        "compiled": history.compiled,
        "stopped": history.stopped,
        "validation_loss": min(history.val_loss, default=None),
        "sampling_seconds": seconds,
        "evaluations": evaluations,
        "density_seconds": density_seconds,
        "memory_mb": peak_memory(),
        "python": platform.python_version(),
        "versions": versions(),
    }


if __name__ == "__main__":
    facts_to, sys.stdout = sys.stdout, sys.stderr
    from sbicore_benchmarks.peers._job import end_with_parent

    end_with_parent()
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    os.environ["OMP_NUM_THREADS"] = str(job["threads"])
    print(json.dumps(work(job)), file=facts_to)
