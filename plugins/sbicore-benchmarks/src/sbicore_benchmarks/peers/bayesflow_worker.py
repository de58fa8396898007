"""Train and draw with BayesFlow's networks, 2.0 or 2.1, on the backend of Keras that KERAS_BACKEND names.

`_job.py` says what a job is and what is printed. Everything is BayesFlow's default unless the job says it: AdamW whose
learning rate rises to the one asked for and then falls along a cosine, no early stopping, the last weights,
parameters standardised and observables not. The last batch of an epoch may be a smaller one. Bounds are not used:
BayesFlow keeps every draw.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import bayesflow  # type: ignore[import-not-found]
import keras  # type: ignore[import-not-found]
import numpy as np
from _job import (  # type: ignore[import-not-found]
    Data,
    clocked,
    density_facts,
    epoch_facts,
    epochs_for,
    run,
    sampling_facts,
    training_rows,
)


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """How long each epoch took, and how many batches there were."""

    def __init__(self) -> None:
        super().__init__()
        self.started = 0.0
        self.seconds: list[float] = []
        self.steps = 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count."""
        self.steps += 1

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keras has read the losses by now, so nothing is still being computed."""
        self.seconds.append(time.perf_counter() - self.started)


def work(job: Mapping[str, Any], data: Data) -> dict[str, Any]:
    """Do a job; write the draws, return the facts."""
    if keras.config.backend() == "torch":
        import torch

        torch.set_num_threads(job["threads"])
    keras.utils.set_random_seed(job["seed"])
    workflow, facts = train(network(job), job, data)

    def draw(row: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        draws = workflow.sample(num_samples=job["draws"], conditions={"observables": row[None]})
        return draws["parameters"][0]  # type: ignore[no-any-return]

    def log_prob(parameters: np.ndarray[Any, Any], row: np.ndarray[Any, Any]) -> Any:
        observables = np.repeat(row[None], len(parameters), axis=0)
        return workflow.log_prob({"parameters": parameters, "observables": observables})

    return {
        "network": described(workflow.inference_network),
        **facts,
        **sampling_facts(job, data, draw),
        **density_facts(job, data, log_prob),
    }


def train(network: Any, job: Mapping[str, Any], data: Data) -> tuple[Any, dict[str, Any]]:
    """The trained workflow, and the size and clock of it."""
    workflow = bayesflow.BasicWorkflow(
        inference_network=network,
        inference_variables=["parameters"],
        inference_conditions=["observables"],
        initial_learning_rate=job["learning_rate"],
    )
    order = np.random.default_rng(job["seed"]).permutation(len(data.parameters))
    training, held_out = np.split(order, [training_rows(job, len(order))])
    clock = Clock()
    _, training_seconds = clocked(
        lambda: workflow.fit_offline(
            rows(data, training),
            epochs=epochs_for(job, len(order)),
            batch_size=job["batch_size"],
            validation_data=rows(data, held_out) if len(held_out) else None,
            callbacks=[clock],
            verbose=0,
        )
    )
    model = workflow.estimator if hasattr(workflow, "estimator") else workflow.approximator
    return workflow, {
        "parameters": int(sum(np.prod(weight.shape) for weight in model.trainable_weights)),
        "training_seconds": training_seconds,
        **epoch_facts(clock.seconds, steps=clock.steps),
    }


def network(job: Mapping[str, Any]) -> Any:
    """Flow matching or diffusion of the job's widths, or a coupling flow with all defaults."""
    if job["method"] == "coupling_flow":
        return bayesflow.networks.CouplingFlow()
    kind = {"flow_matching": bayesflow.networks.FlowMatching, "diffusion_model": bayesflow.networks.DiffusionModel}
    return kind[job["method"]](subnet_kwargs={"widths": tuple(job["widths"])})


def described(network: Any) -> str:
    """What the backbone is."""
    if isinstance(network, bayesflow.networks.CouplingFlow):
        return "affine couplings of BayesFlow's default size"
    source = "time and conditions" if getattr(network.subnet, "persistent_conditioning", False) else "time"
    return f"mlp {'x'.join(map(str, network.subnet.widths))}, FiLM from {source}"


def rows(data: Data, indices: np.ndarray[Any, Any]) -> dict[str, np.ndarray[Any, Any]]:
    """Some rows of the data, as BayesFlow takes them."""
    return {"parameters": data.parameters[indices], "observables": data.observables[indices]}


if __name__ == "__main__":
    run(work, packages=("bayesflow", "keras", keras.config.backend()))
