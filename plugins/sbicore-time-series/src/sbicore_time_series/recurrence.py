"""Recurrent networks that leave masked entries out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

__all__ = ["EndStates", "SkipRecurrence"]

_CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


class EndStates(nn.Module):
    """`(x (R, N, F), mask (R, N)) -> (R, W)`: the state at the last entry and, if bidirectional, that at the first."""

    def __init__(self, features: int, width: int, cell: str, bidirectional: bool) -> None:
        super().__init__()
        make = _CELLS[cell]
        self.forwards = make(features, width, batch_first=True)
        self.backwards = make(features, width, batch_first=True) if bidirectional else None
        self.out_features = 2 * width if bidirectional else width

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Zeros for a row without entries."""
        last = _last_state(self.forwards, x, mask)
        if self.backwards is None:
            return last
        first = _last_state(self.backwards, x.flip(1), None if mask is None else mask.flip(1))
        return torch.cat([last, first], dim=-1)


class SkipRecurrence(nn.Module):
    """`(x (R, N, F), mask (R, N)) -> (R, steps * W)`: states of a recurrence that links entries `steps` apart.

    The entries `i, i + steps, i + 2 * steps, ...` are a series of their own for each of the first `steps` entries i.
    They have one recurrent network in common and their end states lie side by side (arXiv:1703.07015, §3.4).
    """

    def __init__(self, states: EndStates, steps: int) -> None:
        super().__init__()
        self.states, self.steps = states, steps
        self.out_features = steps * states.out_features

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Zeros for series without entries."""
        rows, size = x.shape[:2]
        missing = -size % self.steps
        if missing:
            mask = x.new_ones((rows, size), dtype=torch.bool) if mask is None else mask
            x, mask = pad(x, (0, 0, 0, missing)), pad(mask, (0, missing))
        states = self.states(self._apart(x), None if mask is None else self._apart(mask))
        return states.unflatten(0, (rows, self.steps)).flatten(1)

    def _apart(self, values: Tensor) -> Tensor:
        """`(R, M * steps, ...) -> (R * steps, M, ...)`."""
        return values.unflatten(1, (-1, self.steps)).transpose(1, 2).flatten(0, 1)


def _last_state(rnn: nn.RNNBase, x: Tensor, mask: Tensor | None) -> Tensor:
    """`(R, N, F), (R, N) -> (R, W)`.

    The entries that are there move to the front in their order and are read first, so that what is read after the
    last of them does not matter; packed sequences would need the lengths on the CPU.
    """
    if mask is None:
        return rnn(x)[0][:, -1]
    order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
    states = rnn(torch.take_along_dim(x, order.unsqueeze(-1), dim=1))[0]
    last = (mask.sum(dim=1) - 1).clamp_min(0)
    state = torch.take_along_dim(states, last[:, None, None], dim=1).squeeze(1)
    return state.masked_fill(~mask.any(dim=1, keepdim=True), 0.0)
