"""The record of one or several fits."""

from __future__ import annotations

from typing import Any

import attrs

__all__ = ["FitEvent", "History"]


@attrs.define(kw_only=True)
class History:
    """One entry an epoch in each list; several fits append to one history.

    Attributes:
        loss: mean training loss.
        val_loss: validation loss of the averaged weights; empty without validation data.
        learning_rate: at the end of the epoch.
        seconds: duration of the epoch.
        steps: training steps taken in all.
        skipped_steps: steps left out because loss or gradient was not finite.
        best_epoch: index into the lists of the weights that were kept.
        stopped: `completed`, `patience`, `callback`, `interrupted` or `diverged`.
        compiled: whether torch.compile was in use at the end.
        seed: the seed that makes the last fit reproducible.
    """

    loss: list[float] = attrs.field(factory=list)
    val_loss: list[float] = attrs.field(factory=list)
    learning_rate: list[float] = attrs.field(factory=list)
    seconds: list[float] = attrs.field(factory=list)
    steps: int = 0
    skipped_steps: int = 0
    best_epoch: int | None = None
    stopped: str = ""
    compiled: bool = False
    seed: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as saved."""
        return attrs.asdict(self)


@attrs.define(kw_only=True)
class FitEvent:
    """What callbacks and the `sbicore_fit_event` hook receive.

    Attributes:
        kind: `started`, `epoch` or `stopped`.
        history: the record so far.
        epoch: number of epochs done in this fit.
        epochs: number of epochs planned.
    """

    kind: str
    history: History
    epoch: int
    epochs: int
    stop_requested: bool = False

    def stop(self) -> None:
        """End the fit after this epoch, keeping the best weights."""
        self.stop_requested = True
