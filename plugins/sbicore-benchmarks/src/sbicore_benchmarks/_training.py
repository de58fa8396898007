"""Training and drawing through sbicore's public interface, with the facts that every benchmark records."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

import sbicore

__all__ = ["VALIDATION_FRACTION", "count_parameters", "draw", "epochs_for", "train"]

Array = np.ndarray[Any, Any]

VALIDATION_FRACTION = 0.05
"""Held out by the accuracy benchmarks; counted in their number of simulations."""


def epochs_for(steps: int, simulations: int, batch_size: int) -> int:
    """The number of epochs that comes nearest to this many training steps."""
    batches = round(simulations * (1 - VALIDATION_FRACTION)) // batch_size
    return max(1, round(steps / max(1, batches)))


def train(
    data: Mapping[str, Array],
    *,
    epochs: int,
    batch_size: int,
    seed: int,
    validation_fraction: float = VALIDATION_FRACTION,
    compile: bool | str = "auto",
    subnet_kwargs: Mapping[str, Any] | None = None,
) -> tuple[Any, dict[str, Any]]:
    """Fit flow matching to `{"parameters": (N, D), "observables": (N, C)}`.

    Returns the approximator and its facts. `step_ms` is the duration of an epoch divided by its steps, as the
    median over all epochs but the first: batch gathering, averaged weights and validation are in it.
    """
    approximator = sbicore.build(
        "flow_matching",
        inference_variables=["parameters"],
        inference_conditions=["observables"],
        subnet_kwargs=subnet_kwargs,
    )
    start = time.perf_counter()
    history = approximator.fit(
        data=data,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        validation_fraction=validation_fraction,
        compile=compile,
        progress=False,
    )
    return approximator, {
        "training_seconds": time.perf_counter() - start,
        "first_epoch_seconds": history.seconds[0],
        "step_ms": 1e3 * statistics.median(history.seconds[1:] or history.seconds) * epochs / history.steps,
        "steps": history.steps,
        "compiled": history.compiled,
        "held_out_loss": min(history.val_loss, default=None),
        "parameters": count_parameters(approximator),
    }


def draw(approximator: Any, observable: Array, n: int, seed: int) -> tuple[Array, dict[str, Any]]:
    """Draws `(n, D)` by the default sampler for one observable `(C,)`, their time and evaluations."""
    start = time.perf_counter()
    draws, report = approximator.sample(
        conditions={"observables": observable[None]}, num_samples=n, seed=seed, report=True, progress=False
    )
    seconds = time.perf_counter() - start
    return draws["parameters"][0], {
        "sampling_seconds": seconds,
        "evaluations": report.evaluations,
    }


def count_parameters(module: Any) -> int:
    """Trainable numbers of a module."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
