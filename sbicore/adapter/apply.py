"""Functions by name: those of torch, and the user's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import frozen
from ..errors import ShapeError
from ..fields import flag
from .elementwise import floating
from .functions import FUNCTIONS, PAIRS, function, function_name
from .transform import Events, Transform, names

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Apply"]

_NEAR = 1e-2
"""How near a value must come to itself there and back, relative to its size and the spread of all."""


@frozen(kw_only=True)
class Apply(Transform):
    """Applies a function to each variable in `keys`: `(*, *event)` to `(*, ...)`, with any number of leading axes."""

    name: ClassVar[str] = "apply"

    keys: tuple[str, ...] = names(doc="Variables to transform.")
    forward_: str = function_name(
        alias="forward", doc="A function of torch such as `log`, or one of yours: `package.module:function`."
    )
    inverse_: str | None = function_name(
        None, alias="inverse", optional=True, doc="What undoes it; known for pairs such as `exp` and `log`."
    )
    elementwise: bool = flag(False, doc="A function of yours maps each number by itself, as those of torch do.")

    def events(self, events: Events) -> Events:
        """Shapes stay, or become those that the function makes of zeros."""
        self._need(self.keys, events)
        if self._is_elementwise:
            return dict(events)
        import torch

        made = {key: self._called(self.forward_, torch.zeros(1, *events[key]), key) for key in self.keys}
        for key, value in made.items():
            if value.ndim == 0 or value.shape[0] != 1:
                raise self._shape_error(self.forward_, key, (1, *events[key]), tuple(value.shape))
        return {**events, **{key: tuple(value.shape[1:]) for key, value in made.items()}}

    def forward(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Apply the function to each of `keys` that is present."""
        return {**data, **{key: self._called(self.forward_, data[key], key) for key in self.keys if key in data}}

    def inverse(self, data: dict[str, Tensor], events: Events) -> dict[str, Tensor]:
        """Undo the function on each of `keys` that is present.

        Raises:
            DataError: nothing says how.
        """
        result = dict(data)
        back = self.inverse_ or PAIRS.get(self.forward_)
        for key in self.keys:
            if key in data:
                if back is None:
                    raise self._error(f"cannot undo {self.forward_!r} of {key!r}\nGive inverse=...", variable=key)
                result[key] = self._called(back, data[key], key)
        return result

    def log_det(
        self, data_before: dict[str, Tensor], data_after: dict[str, Tensor], events: Events
    ) -> dict[str, Tensor]:
        """Sums of log-slopes over the event axes, by differentiation.

        Raises:
            DataError: not elementwise.
        """
        result = {}
        for key in self.keys:
            if key not in data_before:
                continue
            if not self._is_elementwise:
                raise self._error(
                    f"does not know the volume of {self.forward_!r}, so {key!r} has no density\n"
                    "Where the function maps each number by itself, say so: elementwise=True.",
                    variable=key,
                )
            slope = self._log_slope(floating(data_before[key]), key)
            rank = len(events[key])
            result[key] = slope.sum(dim=tuple(range(-rank, 0))) if rank else slope
        return result

    def require_inverse(self, data: dict[str, Tensor], events: Events) -> None:
        """Go there and back with the values of `keys` that are finite both here and there."""
        import torch

        for key in [key for key in self.keys if key in data]:
            x = data[key].double() if self.forward_ in FUNCTIONS else floating(data[key])
            y = self._called(self.forward_, x, key)
            rows = [torch.isfinite(value).reshape(len(value), -1).all(1) for value in (x, y)]
            x, y = (value[rows[0] & rows[1]] for value in (x, y))
            if not len(x):
                continue
            back = self.inverse({key: y}, events)[key]
            if back.shape != x.shape:
                raise self._shape_error(str(self.inverse_), key, tuple(x.shape), tuple(back.shape))
            near = (back - x).abs() <= _NEAR * (x.abs() + x.std(correction=0))
            if not bool(near.all()):
                value, found = x[~near][0].item(), back[~near][0].item()
                raise self._error(
                    f"makes {found:g} of {value:g} on the way back: {self.inverse_ or PAIRS.get(self.forward_)!r} does "
                    f"not undo {self.forward_!r} of {key!r}\nGive the function that does as inverse=...",
                    variable=key,
                )

    @property
    def functions(self) -> tuple[str, ...]:
        """Those two that are not of torch."""
        return tuple(path for path in (self.forward_, self.inverse_) if path is not None and path not in FUNCTIONS)

    @property
    def _is_elementwise(self) -> bool:
        return self.elementwise or self.forward_ in FUNCTIONS

    def _log_slope(self, x: Tensor, key: str) -> Tensor:
        import torch

        keep = torch.is_grad_enabled() and x.requires_grad
        with torch.inference_mode(False), torch.enable_grad():
            x = x.clone() if x.is_inference() else x
            at = x if x.requires_grad else x.detach().requires_grad_()
            (slope,) = torch.autograd.grad(self._called(self.forward_, at, key).sum(), at, create_graph=keep)
        return slope.abs().log()

    def _called(self, path: str, value: Tensor, key: str) -> Tensor:
        import torch

        value = floating(value)
        try:
            result = function(path)(value)
        except Exception as error:
            raise self._error(f"fails in {path!r} of {key!r}: {type(error).__name__}: {error}", variable=key) from error
        if not isinstance(result, torch.Tensor):
            raise self._error(
                f"got {type(result).__name__} from {path!r} of {key!r}, not a tensor\n"
                "Write the function in operations of torch.",
                variable=key,
            )
        shape = tuple(result.shape)
        if self._is_elementwise and shape != tuple(value.shape):
            raise self._shape_error(path, key, tuple(value.shape), shape)
        return result

    def _shape_error(self, path: str, key: str, given: tuple[int, ...], got: tuple[int, ...]) -> Exception:
        return self._error(
            f"got {got} from {path!r} for {key!r} of shape {given}\n"
            + ("An elementwise function keeps the shape." if self._is_elementwise else "Leading axes must stay."),
            ShapeError,
            variable=key,
            expected=given,
            got=got,
        )
