"""What the modules of base distributions share: the event, and values that fit it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from ..errors import ConfigError, ShapeError
from ..shapes import Shapes

__all__ = ["BaseDistribution", "sum_event"]


class BaseDistribution(nn.Module):
    """A distribution over events: of the shape it was built for, or the last axis without one.

    Fixed values are buffers that are not saved, as the config holds them; trainable ones are
    parameters. Values are cast to the dtype of what they meet.
    """

    def __init__(self, shapes: Shapes | None) -> None:
        super().__init__()
        self.event = None if shapes is None else shapes.target
        self.rank = 1 if self.event is None else len(self.event)
        self._width: int | None = None

    @abstractmethod
    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: Generator | Sequence[Generator] | None = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """Draws; gradients reach trainable locations and scales.

        Args:
            shape: shape of the result, event axes included.
            generator: None for torch's default, one generator, or one for each row of axis 0,
                which then does not depend on the other rows.
            like: its dtype and device are the result's; by default those of the distribution.

        Raises:
            ShapeError: `shape` does not end in the event.
            ConfigError: another number of generators than rows.
        """

    @abstractmethod
    def log_prob(self, x: Tensor) -> Tensor:
        """Normalised log density, `(*, *event) -> (*)`, in the dtype of `x`.

        Raises:
            ShapeError: `x` does not end in the event.
        """

    def split(self, shape: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Leading axes and event axes of a shape; ShapeError where the event is another."""
        shape = tuple(shape)
        cut = len(shape) - self.rank
        event = shape[cut:] if cut >= 0 else ()
        expected = self.event or ((self._width,) if self._width is not None else None)
        if cut < 0 or (expected is not None and event != expected):
            wanted = "at least one axis" if expected is None else f"the event {expected} at the end"
            raise ShapeError(f"Expected {wanted}, got shape {shape}.", expected=expected, got=shape)
        return shape[:cut], event

    def keep(self, name: str, value: Any, trainable: bool, *, lead: Sequence[int] = (), field: str) -> None:
        """Store a value that broadcasts to the event, behind `lead` axes of its own.

        Raises:
            ConfigError: it does not broadcast.
        """
        lead = tuple(lead)
        value = torch.as_tensor(value, dtype=torch.get_default_dtype())
        if lead and value.dim():
            own = value.shape[1:]
            value = value.reshape(value.shape[0], *[1] * (self.rank - len(own)), *own)
        event = self.event if self.event is not None else tuple(value.shape[len(lead) :] or (1,))
        try:
            if len(event) != self.rank:
                raise RuntimeError("too many axes")
            value = value.broadcast_to(lead + event).clone()
        except RuntimeError:
            raise ConfigError(
                f"shape {tuple(value.shape)} does not broadcast to {lead + (self.event or ('D',))}"
            ).within(field) from None
        if self.event is None and event[-1] != 1:
            self._width = event[-1]
        if trainable:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value, persistent=False)


def sum_event(values: Tensor, rank: int) -> Tensor:
    """The sum over the last `rank` axes."""
    return values.sum(tuple(range(-rank, 0))) if rank else values
