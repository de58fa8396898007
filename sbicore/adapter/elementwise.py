"""Base of the steps that map each element of a variable by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import frozen
from ..errors import ConfigError, ShapeError
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Elementwise", "check_values", "constant", "floating"]


@frozen(kw_only=True)
class Elementwise(Transform):
    """Applies one scalar function to every element of each variable in `keys`.

    Subclasses define `_apply`, `_undo` and `_log_slope`; `arguments` names the fields whose
    arrays must broadcast to the event.
    """

    arguments: ClassVar[tuple[str, ...]] = ()

    keys: tuple[str, ...] = names(doc="Variables to transform.")

    def events(self, events: Events) -> Events:
        """Check that `keys` exist and `arguments` broadcast to them; shapes stay."""
        self._need(self.keys, events)
        for argument in self.arguments:
            value = getattr(self, argument)
            for key in self.keys if value is not None else ():
                self._fit(argument, value, key, events[key])
        return dict(events)

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Apply the function to each of `keys` that is present."""
        return {**data, **{key: self._apply(floating(data[key])) for key in self.keys if key in data}}

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Undo the function on each of `keys` that is present."""
        return {**data, **{key: self._undo(floating(data[key])) for key in self.keys if key in data}}

    def log_det(
        self, data_before: dict[str, Tensor], data_after: dict[str, Tensor], events: Events
    ) -> dict[str, Tensor]:
        """Sum of log-slopes over the event axes."""
        result = {}
        for key in self.keys:
            if key not in data_before:
                continue
            slope = self._log_slope(floating(data_before[key]), data_after[key])
            if slope is not None:
                rank = len(events[key])
                result[key] = slope.sum(dim=tuple(range(-rank, 0))) if rank else slope
        return result

    def _apply(self, x: Tensor) -> Tensor:
        """`(*) -> (*)`, elementwise."""
        raise NotImplementedError

    def _undo(self, y: Tensor) -> Tensor:
        """The inverse of `_apply`."""
        raise NotImplementedError

    def _log_slope(self, x: Tensor, y: Tensor) -> Tensor | None:
        """log|dy/dx| of each element, shaped like `x`; None where it is zero."""
        return None

    def _fit(self, argument: str, value: Any, key: str, event: tuple[int, ...]) -> None:
        import numpy as np

        shape = np.shape(value)
        try:
            fits = np.broadcast_shapes(shape, event) == event
        except ValueError:
            fits = False
        if not fits:
            raise self._error(
                f"has {argument} of shape {shape}, which does not broadcast to {key!r} of shape {event}\n"
                f"Give {argument} as one number{f' or with shape {event}' if event else ''}.",
                ShapeError,
                variable=key,
                expected=event,
                got=shape,
            )


def floating(x: Tensor) -> Tensor:
    """Booleans and integers as float32; anything floating as it is."""
    import torch

    return x if x.is_floating_point() else x.to(torch.float32)


def constant(value: Any, like: Tensor) -> Tensor:
    """Stored numbers as a tensor of the dtype and device of `like`."""
    import torch

    return torch.tensor(value, dtype=like.dtype, device=like.device)


def check_values(name: str, value: Any, *, positive: bool = False, nonzero: bool = False) -> None:
    """Refuse empty or ragged arrays, and numbers of the wrong sign, as the argument `name`."""
    import numpy as np

    try:
        items = np.asarray(value, dtype=float).ravel().tolist()
    except ValueError:
        raise ConfigError("rows have different lengths").within(name) from None
    if not items:
        raise ConfigError("must not be empty").within(name)
    if positive and min(items) <= 0:
        raise ConfigError(f"must be > 0, got {min(items)}").within(name)
    if nonzero and 0 in items:
        raise ConfigError("must not be 0").within(name)
