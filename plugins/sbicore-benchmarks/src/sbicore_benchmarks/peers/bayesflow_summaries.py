"""Time summary networks of BayesFlow, 2.0 or 2.1, and the training step of its `PointNetwork`.

The job is that of `summary_worker.py`. On torch the networks are called as they are, as BayesFlow trains them; on jax
what is timed is compiled, forward or value and gradient, as BayesFlow's training step is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import bayesflow  # type: ignore[import-not-found]
import keras  # type: ignore[import-not-found]
import numpy as np
from _job import answer, normal_data, repeated  # type: ignore[import-not-found]
from bayesflow_worker import train  # type: ignore[import-not-found]

CLASSES = {
    "deep_set": "DeepSet",
    "set_transformer": "SetTransformer",
    "time_series_network": "TimeSeriesNetwork",
    "time_series_transformer": "TimeSeriesTransformer",
    "convolutional_network": "ConvolutionalNetwork",
    "fusion_transformer": "FusionTransformer",
    "fusion_network": "FusionNetwork",
    "point_network": "PointNetwork",
}


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Size and times of each network."""
    if keras.config.backend() == "torch":
        import torch

        torch.set_num_threads(job["threads"])
    keras.utils.set_random_seed(job["seed"])
    return {
        "networks": {
            name: trained(job, network) if name == "point_network" else called(name, job, network)
            for name, network in job["networks"].items()
        }
    }


def build(name: str, arguments: Mapping[str, Any]) -> Any:
    """The network of this name; its backbones are networks too."""
    arguments = {key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()}
    if "backbones" in arguments:
        parts = {key: dict(part) for key, part in arguments["backbones"].items()}
        arguments["backbones"] = {key: build(part.pop("name"), part) for key, part in parts.items()}
    return getattr(bayesflow.networks, CLASSES[name])(**arguments)


def called(name: str, job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """Forward as in inference, and forward and backward as in training."""
    rng = np.random.default_rng(job["seed"])
    module, shape = build(name, network["arguments"]), network["shape"]

    def batch(event: list[int]) -> Any:
        return keras.ops.convert_to_tensor(rng.normal(size=(job["batch_size"], *event)).astype(np.float32))

    x = {key: batch(event) for key, event in shape.items()} if isinstance(shape, Mapping) else batch(shape)
    module(x)
    calls = on_torch if keras.config.backend() == "torch" else on_jax
    forward, both = calls(module, x)
    return {
        "parameters": int(sum(np.prod(weight.shape) for weight in module.trainable_weights)),
        "forward_ms": repeated(forward, job["seconds"]),
        "both_ms": repeated(both, job["seconds"]),
    }


def on_torch(module: Any, x: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Forward, and forward and backward; importing BayesFlow turns gradients off."""
    import torch

    def forward() -> None:
        with torch.no_grad():
            module(x, training=False)

    def both() -> None:
        module.zero_grad()
        with torch.enable_grad():
            module(x, training=True).mean().backward()

    return forward, both


def on_jax(module: Any, x: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Forward, and forward and backward; both compiled, and waited for."""
    import jax  # type: ignore[import-not-found]

    trainable = [weight.value for weight in module.trainable_variables]
    others = [weight.value for weight in module.non_trainable_variables]

    def mean(weights: Any, others: Any, x: Any) -> Any:
        outputs, changed = module.stateless_call(weights, others, x, training=True)
        return outputs.mean(), changed

    infer = jax.jit(lambda weights, others, x: module.stateless_call(weights, others, x, training=False)[0])
    differentiate = jax.jit(jax.value_and_grad(mean, has_aux=True))
    return (
        lambda: jax.block_until_ready(infer(trainable, others, x)),
        lambda: jax.block_until_ready(differentiate(trainable, others, x)),
    )


def trained(job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """The step of `fit_offline`."""
    training = {**job["training"], "batch_size": job["batch_size"], "seed": job["seed"]}
    data = normal_data(training["rows"], network["shape"], job["seed"])
    return train(build("point_network", network["arguments"]), training, data)[1]  # type: ignore[no-any-return]


if __name__ == "__main__":
    answer(work, packages=("bayesflow", "keras", keras.config.backend()))
