"""Time BayesFlow's default flow matching on the data of `sbicore_benchmarks.speed`; print one JSON line.

Run by the python of BayesFlow's own environment with KERAS_BACKEND=torch or jax:

    python bayesflow_speed.py DATA.npz '{"epochs": 6, "batch_size": 128, "draws": 10000}'

A step is the wall time of one epoch of `fit_offline` divided by its batches, so it includes what a user
waits for: gathering the batch, the adapter, the update, and Keras' own callbacks. `batch_ms` is the median
time from the end of one batch to the end of the next. Both leave out the first epoch, where JAX compiles.
Draws are timed on the second call, for the same reason.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import platform
import statistics
import sys
import time
from importlib import metadata
from typing import Any

import bayesflow  # type: ignore[import-not-found]
import keras  # type: ignore[import-not-found]
import numpy as np


class Clock(keras.callbacks.Callback):  # type: ignore[misc]
    """When each batch ended, one list per epoch that begins with the epoch's start."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs: list[list[float]] = []
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start a list."""
        self.epochs.append([time.perf_counter()])

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Note the time."""
        self.epochs[-1].append(time.perf_counter())

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keras has read the losses by now, so nothing is still being computed."""
        self.seconds.append(time.perf_counter() - self.epochs[-1][0])


def measure(path: str, epochs: int, batch_size: int, draws: int) -> dict[str, Any]:
    """The same facts as `sbicore_benchmarks._speed_worker` states, and `batch_ms`."""
    arrays = np.load(path)
    data = {"parameters": arrays["parameters"], "observables": arrays["observables"]}
    workflow = bayesflow.BasicWorkflow(
        inference_network=bayesflow.networks.FlowMatching(),
        inference_variables=["parameters"],
        inference_conditions=["observables"],
    )
    clock = Clock()
    workflow.fit_offline(data, epochs=epochs, batch_size=batch_size, callbacks=[clock], verbose=0)
    batches = [end - start for ends in clock.epochs[1:] for start, end in itertools.pairwise(ends)]
    calls = []
    for _ in range(2):
        start = time.perf_counter()
        result = workflow.sample(num_samples=draws, conditions={"observables": arrays["observable"][None]})
        calls.append(time.perf_counter() - start)
    if result["parameters"].shape != (1, draws, 2):
        raise RuntimeError(f"expected draws of shape (1, {draws}, 2), got {result['parameters'].shape}")
    model = workflow.estimator if hasattr(workflow, "estimator") else workflow.approximator
    subnet = workflow.inference_network.subnet
    source = "time and conditions" if getattr(subnet, "persistent_conditioning", False) else "time"
    return {
        "parameters": int(sum(np.prod(w.shape) for w in model.trainable_weights)),
        "network": f"{'x'.join(map(str, subnet.widths))}, FiLM from {source}",
        "step_ms": 1e3 * statistics.median(clock.seconds[1:]) / len(clock.epochs[-1][1:]),
        "batch_ms": 1e3 * statistics.median(batches),
        "first_epoch_seconds": clock.seconds[0],
        "draw_seconds": calls[1],
        "first_draw_seconds": calls[0],
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in ("bayesflow", "keras", keras.config.backend())},
    }


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr):
        line = json.dumps(measure(sys.argv[1], **json.loads(sys.argv[2])))
    print(line)
