"""Time networks of sbicore in a process of its own: `python -m sbicore_benchmarks.summary_worker JOB.json`.

`peers/bayesflow_summaries.py` reads the same job, a JSON object:

    networks        by name, `shape` of a row, or of each of its variables by name, and `arguments`
    batch_size      rows of a call
    seconds         for how long each call is repeated
    training        of `point_network`: rows, steps, learning_rate, validation_fraction
    seed, threads
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sbicore.approximators.continuous import ContinuousApproximator as Approximator

    from .peers._job import Data

__all__ = ["trained", "work"]


def work(job: Mapping[str, Any]) -> dict[str, Any]:
    """Size and times of each network."""
    import torch

    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])
    return {
        "networks": {
            name: _trained(job, network) if name == "point_network" else _called(name, job, network)
            for name, network in job["networks"].items()
        }
    }


def _called(name: str, job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """Forward as in inference, and forward and backward as in training."""
    import torch

    from sbicore.registry import configure
    from sbicore.shapes import Shapes

    from .peers._job import repeated

    shape, rows = network["shape"], job["batch_size"]
    config = configure(name, kind="summary_network", **network["arguments"])
    by_name = isinstance(shape, Mapping)
    module = config.build(Shapes(inputs=shape) if by_name else Shapes(target=shape))
    x: Any = {key: torch.randn(rows, *s) for key, s in shape.items()} if by_name else torch.randn(rows, *shape)

    def forward() -> None:
        with torch.no_grad():
            module(x)

    def both() -> None:
        module.zero_grad(set_to_none=True)
        module(x).mean().backward()

    module.eval()
    forward_ms = repeated(forward, job["seconds"])
    module.train()
    return {
        "parameters": sum(p.numel() for p in module.parameters() if p.requires_grad),
        "forward_ms": forward_ms,
        "both_ms": repeated(both, job["seconds"]),
    }


def _trained(job: Mapping[str, Any], network: Mapping[str, Any]) -> dict[str, Any]:
    """The step of `fit`."""
    from .peers._job import normal_data

    data = normal_data(job["training"]["rows"], network["shape"], job["seed"])
    return trained("point_network", network["arguments"], job, data)[1]


def trained(
    method: str, arguments: Mapping[str, Any], job: Mapping[str, Any], data: Data
) -> tuple[Approximator, dict[str, Any]]:
    """The trained model, and its size and the step of `fit`, without compilation."""
    import sbicore

    from .peers._job import epoch_facts, epochs_for

    model = sbicore.build(method, inference_variables=["parameters"], inference_conditions=["observables"], **arguments)
    training = {**job["training"], "batch_size": job["batch_size"]}
    history = model.fit(
        {"parameters": data.parameters, "observables": data.observables},
        epochs=epochs_for(training, training["rows"]),
        batch_size=job["batch_size"],
        learning_rate=training["learning_rate"],
        validation_fraction=training["validation_fraction"],
        seed=job["seed"],
        compile="never",
        progress=False,
    )
    parameters = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return model, {"parameters": parameters, **epoch_facts(history.seconds, history.steps)}


if __name__ == "__main__":
    from sbicore_benchmarks._records import versions
    from sbicore_benchmarks.peers._job import answer

    answer(work, packages=tuple(versions()))
