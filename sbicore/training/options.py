"""What can be said about a fit."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .._arguments import unknown_argument
from ..config import Options, frozen
from ..errors import ConfigError
from ..fields import choice, flag, integer, number

__all__ = ["FitOptions"]


ARGUMENTS = ("validation_data", "seed", "device", "callbacks", "progress", "checkpoint")
"""What `fit` takes beside its options."""


@frozen(kw_only=True)
class FitOptions(Options):
    """Options of `fit`, with their defaults."""

    epochs: int = integer(100, ge=1, doc="Passes over the data, or groups of simulated batches.")
    steps: int | None = integer(
        None, ge=1, optional=True, doc="Training steps, rounded to whole epochs; in place of epochs."
    )
    batch_size: int = integer(128, ge=1, doc="Rows of a training step.")
    learning_rate: float = number(5e-4, gt=0.0, doc="Peak learning rate of AdamW.")
    warmup_fraction: float = number(0.05, ge=0.0, lt=1.0, doc="Share of the steps with rising learning rate.")
    weight_decay: float = number(1e-4, ge=0.0, doc="Decoupled weight decay of AdamW.")
    clip_norm: float | None = number(1.5, gt=0.0, optional=True, doc="Largest global norm of the gradient.")
    ema_decay: float = number(0.999, ge=0.0, lt=1.0, doc="Decay of the averaged weights; 0 averages nothing.")
    validation_fraction: float = number(0.1, ge=0.0, lt=1.0, doc="Share of the rows held out for validation.")
    patience: int | None = integer(
        None, ge=1, optional=True, doc="Stop after this many epochs without a better validation loss."
    )
    max_invalid_share: float = number(
        0.1, ge=0.0, le=1.0, doc="Largest share of rows with NaN or infinite values that may be dropped."
    )
    num_batches_per_epoch: int = integer(100, ge=1, doc="Steps of an epoch when training on a simulator.")
    memory_mb: int = integer(256, ge=1, doc="Memory in MiB for the rows of a store that are shuffled or read ahead.")
    background: bool = flag(
        True,
        doc="Whether a thread makes the next batches during the steps; False for simulators that need the main thread.",
    )
    compile: str = choice("auto", options=("auto", "always", "never"), doc="When to use torch.compile.")

    @classmethod
    def from_kwargs(cls, **kwargs: object) -> FitOptions:
        """As usual; `compile` may also be True or False."""
        known = [*(field.name for field in attrs.fields(cls)), *ARGUMENTS]
        for name in kwargs:
            if name not in known:
                raise unknown_argument("fit", name, known)
        if isinstance(kwargs.get("compile"), bool):
            kwargs["compile"] = "always" if kwargs["compile"] else "never"
        if "epochs" in kwargs and kwargs.get("steps") is not None:
            raise ConfigError("epochs and steps both say how long to train\nGive one of them.")
        return super().from_kwargs(**kwargs)

    @classmethod
    def completed(cls, given: Mapping[str, object], defaults: Mapping[str, object]) -> FitOptions:
        """Options `given`, and those of `defaults` that they neither decide nor rule out."""
        return cls.from_kwargs(**cls.joined(given, defaults))

    @staticmethod
    def joined(given: Mapping[str, object], defaults: Mapping[str, object]) -> dict[str, object]:
        """The values of `completed`, unchecked."""
        decided = {"epochs", "steps"} if {"epochs", "steps"} & set(given) else set()
        if given.get("validation_fraction") == 0.0:
            decided.add("patience")
        rest = {name: value for name, value in defaults.items() if name not in decided}
        return {**rest, **given}

    def replace(self, **changes: object) -> FitOptions:
        """As usual; the default of `epochs` does not contradict the steps that were given."""
        kept = {name: value for name, value in self._values().items() if name != "epochs" or self.steps is None}
        return type(self).from_kwargs(**{**kept, **changes})

    def in_epochs(self, steps_per_epoch: int) -> FitOptions:
        """With the number of epochs that comes nearest to `steps`, if those are given."""
        if self.steps is None:
            return self
        return self.replace(steps=None, epochs=max(1, round(self.steps / steps_per_epoch)))

    def __attrs_post_init__(self) -> None:
        if self.patience is not None and self.validation_fraction == 0.0:
            raise ConfigError("patience needs validation data: give validation_fraction > 0").within("patience")
