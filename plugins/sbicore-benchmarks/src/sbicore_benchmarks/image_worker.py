"""Time image subnets of sbicore in a process of its own: `python -m sbicore_benchmarks.image_worker JOB.json`.

`peers/bayesflow_images.py` reads the same job, a JSON object:

    networks           by name, `arguments` of the subnet, and further `own` ones of sbicore's
    target, condition  shapes of an image of each
    batch_size         rows of a training step
    training           of flow matching: rows, steps, learning_rate, validation_fraction
    images             of one evaluation of the network, for the same condition, without gradients
    seconds            for how long that is repeated
    draws              how many draws of the default solver to time, or 0
    seed, threads
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

__all__ = ["work"]


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Size, times and memory of each network."""
    import torch

    torch.set_num_threads(job["threads"])
    return {"networks": {name: _measured(name, job, network) for name, network in job["networks"].items()}}


def _measured(name: str, job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """A step of `fit`, a call of the network as a solver makes it, and draws."""
    import torch

    import_module("sbicore.approximators.continuous")
    from .peers._job import clocked, memory_above, normal_data, peak_memory, repeated
    from .summary_worker import trained

    imported = peak_memory()
    data = normal_data(job["training"]["rows"], job["condition"], job["seed"], parameters=job["target"])
    arguments = {"subnet": name, "subnet_kwargs": {**network["arguments"], **network.get("own", {})}}
    model, facts = trained("flow_matching", arguments, job, data)
    x, t, condition = torch.randn(1, job["images"], *job["target"]), torch.full((1,), 0.5), torch.tensor(data.observed)

    @torch.inference_mode()
    def evaluate() -> None:
        model.network.velocity(x, t, condition[:, None], 1.0, None)

    facts["evaluation_ms"] = repeated(evaluate, job["seconds"])
    if job["draws"]:
        observed = {"observables": data.observed}
        (_, report), facts["draws_seconds"] = clocked(
            lambda: model.sample(observed, job["draws"], seed=job["seed"], report=True, progress=False)
        )
        facts["evaluations"] = report.evaluations
    return {**facts, "above_mb": memory_above(imported)}


if __name__ == "__main__":
    from sbicore_benchmarks._records import versions
    from sbicore_benchmarks.peers._job import answer

    answer(work, packages=tuple(versions()))
