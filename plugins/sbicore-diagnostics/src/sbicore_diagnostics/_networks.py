"""The classifiers of all folds of C2ST, trained at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

__all__ = ["held_out_accuracy"]

EPOCHS = 120
SCORED = 10  # last epochs, whose accuracies are averaged
STEPS = 16  # an epoch
BATCH = (200, 1_000)  # at least and at most
LEARNING_RATE = 1e-2


def held_out_accuracy(
    data: np.ndarray, labels: np.ndarray, folds: Sequence[tuple[np.ndarray, np.ndarray]], seed: int
) -> float:
    """Accuracy of networks, one a fold, on the rows held out from each; two hidden layers of 10 times the dimension.

    Args:
        data: `(n, d)`. labels: `(n,)`, 0 or 1. folds: indices of rows to train on, and of rows held out.
        seed: for weights and the order of rows.
    """
    with torch.inference_mode(False), torch.enable_grad(), torch.device("cpu"):
        x, y = torch.tensor(data, dtype=torch.float32), torch.tensor(labels, dtype=torch.float32)
        generator = torch.Generator().manual_seed(seed)
        layers = _layers(len(folds), x.shape[1], generator)
        optimizer = torch.optim.Adam([tensor for layer in layers for tensor in layer], LEARNING_RATE, fused=True)
        size = min(len(train) for train, _ in folds)
        batch = min(max(size // STEPS, BATCH[0]), BATCH[1])
        scores = []
        for epoch in range(EPOCHS):
            order = [torch.from_numpy(train)[torch.randperm(len(train), generator=generator)] for train, _ in folds]
            rows = torch.stack([indices[:size] for indices in order])
            for inputs, targets in zip(x[rows].split(batch, 1), y[rows].split(batch, 1), strict=True):
                loss = binary_cross_entropy_with_logits(_logits(layers, inputs), targets, reduction="sum")
                (loss / targets.shape[1]).backward()
                optimizer.step()
                optimizer.zero_grad()
            if epoch >= EPOCHS - SCORED:
                scores.append(_score(layers, x, y, [held for _, held in folds]))
    return float(np.mean(scores))


def _layers(folds: int, inputs: int, generator: torch.Generator) -> list[tuple[Tensor, Tensor]]:
    """Weights `(folds, in, out)` and biases `(folds, 1, out)`, uniform as scikit-learn draws them."""
    layers = []
    for size, outputs in ((inputs, 10 * inputs), (10 * inputs, 10 * inputs), (10 * inputs, 1)):
        bound = (6 / (size + outputs)) ** 0.5
        tensors = (torch.empty(folds, rows, outputs, dtype=torch.float32) for rows in (size, 1))
        weight, bias = (tensor.uniform_(-bound, bound, generator=generator).requires_grad_() for tensor in tensors)
        layers.append((weight, bias))
    return layers


def _logits(layers: list[tuple[Tensor, Tensor]], x: Tensor) -> Tensor:
    """`(folds, B, d)` to `(folds, B)`."""
    for weight, bias in layers[:-1]:
        x = torch.baddbmm(bias, x, weight).relu_()
    weight, bias = layers[-1]
    return torch.baddbmm(bias, x, weight)[..., 0]


@torch.no_grad()
def _score(layers: list[tuple[Tensor, Tensor]], x: Tensor, y: Tensor, held: Sequence[np.ndarray]) -> float:
    """Mean over folds of the accuracy on the rows held out."""
    accuracies = []
    for fold, indices in enumerate(held):
        own = [(weight[fold : fold + 1], bias[fold : fold + 1]) for weight, bias in layers]
        hits = (_logits(own, x[indices][None])[0] > 0) == (y[indices] > 0)
        accuracies.append(hits.float().mean().item())
    return float(np.mean(accuracies))
