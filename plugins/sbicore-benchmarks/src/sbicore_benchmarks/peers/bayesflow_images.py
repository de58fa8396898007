"""Time image subnets of BayesFlow, 2.0 or 2.1, in its flow matching.

The job is that of `image_worker.py`. On torch the network is called as it is, without gradients; on jax it is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import bayesflow  # type: ignore[import-not-found]
import keras  # type: ignore[import-not-found]
import numpy as np
from _job import answer, clocked, memory_above, normal_data, peak_memory, repeated  # type: ignore[import-not-found]
from bayesflow_worker import train  # type: ignore[import-not-found]

CLASSES = {"unet": "UNet", "uvit": "UViT", "residual_uvit": "ResidualUViT"}


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Size, times and memory of each network."""
    if keras.config.backend() == "torch":
        import torch

        torch.set_num_threads(job["threads"])
    keras.utils.set_random_seed(job["seed"])
    return {"networks": {name: measured(name, job, network) for name, network in job["networks"].items()}}


def measured(name: str, job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """A step of `fit_offline`, a call of the network as a solver makes it, and draws."""
    imported = peak_memory()
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in network["arguments"].items()}
    subnet = getattr(bayesflow.networks, CLASSES[name])(**arguments)
    training = {**job["training"], "batch_size": job["batch_size"], "seed": job["seed"]}
    data = normal_data(training["rows"], job["condition"], job["seed"], parameters=job["target"])
    workflow, facts = train(bayesflow.networks.FlowMatching(subnet=subnet), training, data)
    rng = np.random.default_rng(job["seed"])
    x = rng.normal(size=(job["images"], *job["target"])).astype(np.float32)
    conditions = np.repeat(data.observed, job["images"], axis=0)
    facts["evaluation_ms"] = repeated(evaluation(workflow.inference_network, x, conditions), job["seconds"])
    if job["draws"]:
        observed = {"observables": data.observed}
        _, facts["draws_seconds"] = clocked(lambda: workflow.sample(num_samples=job["draws"], conditions=observed))
    return {**facts, "above_mb": memory_above(imported)}


def evaluation(network: Any, *arrays: Any) -> Callable[[], Any]:
    """The velocity of images `(N, *image)` given conditions `(N, *image)`."""
    x, conditions = map(keras.ops.convert_to_tensor, arrays)
    if keras.config.backend() == "torch":
        import torch

        @torch.no_grad()
        def evaluate() -> None:
            network.velocity(x, time=0.5, conditions=conditions, training=False)

        return evaluate
    import jax  # type: ignore[import-not-found]

    weights = [variable.value for variable in network.variables]

    @jax.jit
    def velocity(weights: Any, x: Any, conditions: Any) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(network.variables, weights, strict=True))):
            return network.velocity(x, time=0.5, conditions=conditions, training=False)

    return lambda: jax.block_until_ready(velocity(weights, x, conditions))


if __name__ == "__main__":
    answer(work, packages=("bayesflow", "keras", keras.config.backend()))
