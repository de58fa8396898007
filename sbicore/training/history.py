"""The record of one or several fits."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

__all__ = ["EnsembleHistory", "FitEvent", "History"]


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

    def latest(self) -> dict[str, float]:
        """The losses of the last epoch."""
        return {name: getattr(self, name)[-1] for name in ("loss", "val_loss") if getattr(self, name)}

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as saved."""
        return attrs.asdict(self)


@attrs.define(kw_only=True)
class EnsembleHistory(History):
    """The record of all members: losses are means over those that were training, steps and skipped steps are sums.

    Attributes:
        members: the record of each by its name.
    """

    members: dict[str, History] = attrs.field(factory=dict)

    @classmethod
    def restored(cls, saved: Mapping[str, Any]) -> EnsembleHistory:
        """From what `to_dict` told."""
        members = {name: History(**record) for name, record in saved["members"].items()}
        return cls(**{**saved, "members": members})

    def add_epoch(self) -> None:
        """Take in what the members have recorded of one more epoch."""
        epochs = len(self.loss) + 1
        training = [record for record in self.members.values() if len(record.loss) >= epochs]
        self.loss.append(_mean([record.loss[epochs - 1] for record in training]))
        if validated := [record.val_loss[epochs - 1] for record in training if len(record.val_loss) >= epochs]:
            self.val_loss.append(_mean(validated))
        self.learning_rate.append(training[0].learning_rate[epochs - 1])
        self.seconds.append(max(record.seconds[epochs - 1] for record in training))
        self.steps = sum(record.steps for record in self.members.values())
        self.skipped_steps = sum(record.skipped_steps for record in self.members.values())


def _mean(values: list[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan


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
