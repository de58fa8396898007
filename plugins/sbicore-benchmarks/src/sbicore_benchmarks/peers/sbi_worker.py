"""Train and draw with sbi: `npe`, `fmpe`, `npse` and `nre`. `_job.py` says what a job is and what is printed.

Everything is sbi's default unless the job says it. NPE is a neural spline flow of sbi's own size; FMPE and NPSE are
its MLP, whose layers all have one width: the mean of the widths asked for. NRE is NRE-C with sbi's own residual
network; it draws by sbi's vectorised slice sampling, needs bounds, and has no density. Adam with a constant learning
rate trains for the epochs that make the steps (two at least: sbi does not train for one), and sbi puts the weights of
the best validation loss back.

With bounds the prior is uniform within them, and what is drawn outside is drawn again, as sbi does for every bounded
prior. Without, sbi is given no prior and keeps every draw.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
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
from sbi.inference import FMPE, NPE, NPSE, NRE_C  # type: ignore[import-not-found]
from sbi.neural_nets import posterior_flow_nn, posterior_score_nn  # type: ignore[import-not-found]
from sbi.utils import BoxUniform  # type: ignore[import-not-found]
from sbi.utils.tracking import TensorBoardTracker  # type: ignore[import-not-found]
from torch.utils.tensorboard import SummaryWriter

FREE_FORM = {"fmpe": (FMPE, posterior_flow_nn), "npse": (NPSE, posterior_score_nn)}


def work(job: Mapping[str, Any], data: Data) -> dict[str, Any]:
    """Do a job; write the draws, return the facts."""
    torch.set_num_threads(job["threads"])
    torch.manual_seed(job["seed"])
    np.random.seed(job["seed"])
    prior = BoxUniform(*(torch.tensor(side) for side in job["bounds"])) if job.get("bounds") else None
    with tempfile.TemporaryDirectory() as folder:
        inference, network = build(job, prior=prior, tracker=TensorBoardTracker(SummaryWriter(folder)))
        inference.append_simulations(torch.from_numpy(data.parameters), torch.from_numpy(data.observables))
        epochs = epochs_for(job, len(data.parameters))
        estimator, training_seconds = clocked(
            lambda: inference.train(
                training_batch_size=job["batch_size"],
                learning_rate=job["learning_rate"],
                validation_fraction=job["validation_fraction"],
                stop_after_epochs=epochs + 1,
                max_num_epochs=max(1, epochs - 1),  # sbi trains one epoch more than this number says
            )
        )
    posterior = inference.build_posterior(estimator)

    def draw(row: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        draws = posterior.sample((job["draws"],), x=torch.from_numpy(row), show_progress_bars=False)
        return draws.numpy()  # type: ignore[no-any-return]

    def log_prob(parameters: np.ndarray[Any, Any], row: np.ndarray[Any, Any]) -> Any:
        posterior.set_default_x(torch.from_numpy(row))
        return posterior.log_prob(torch.from_numpy(parameters))

    seconds = inference.summary["epoch_durations_sec"]
    batches = training_rows(job, len(data.parameters)) // job["batch_size"]
    return {
        "network": network,
        "parameters": sum(p.numel() for p in estimator.parameters() if p.requires_grad),
        "training_seconds": training_seconds,
        **epoch_facts(seconds, steps=len(seconds) * max(1, batches)),
        **sampling_facts(job, data, draw),
        **density_facts(job if job["method"] != "nre" else {**job, "densities": 0}, data, log_prob),
    }


def build(job: Mapping[str, Any], **arguments: Any) -> tuple[Any, str]:
    """The trainer of a method, and its network in words."""
    arguments["show_progress_bars"] = False
    if job["method"] == "npe":
        return NPE(density_estimator="nsf", **arguments), "nsf of sbi's default size"
    if job["method"] == "nre":
        if arguments["prior"] is None:
            raise ValueError("sbi's NRE needs a prior, and this task has no bounds to make one of")
        return NRE_C(classifier="resnet", **arguments), "resnet of sbi's default size"
    trainer, builder = FREE_FORM[job["method"]]
    width, layers = round(statistics.mean(job["widths"])), len(job["widths"])
    network = builder(model="mlp", hidden_features=width, num_layers=layers)
    return trainer(vf_estimator=network, **arguments), f"mlp {'x'.join([str(width)] * layers)}"


if __name__ == "__main__":
    run(work, packages=("sbi", "torch"))
