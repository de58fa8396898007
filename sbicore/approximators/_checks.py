"""Checks of what users hand to `build`, `sample` and `log_prob`."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import torch
from torch import Tensor

from .._arguments import unknown_argument
from .._messages import listing
from ..errors import ConfigError, DataError, SbicoreError, ShapeError, UnknownHyperparameterError
from ..training import FitEvent, FitOptions
from ._masks import not_finite, there_alone, without_entries

if TYPE_CHECKING:
    from ._pipeline import Pipeline

__all__ = [
    "asked",
    "checked_bounds",
    "checked_callbacks",
    "checked_fit_kwargs",
    "require_capability",
    "require_count",
    "require_finite",
    "require_held",
    "require_options",
    "require_rows",
]

_SHARED = ("seed", "as_tensor", "report", "progress", "chunk_size")
_CALLS = {
    "sample": ("conditions", "num_samples", "fixed", "constraints", *_SHARED),
    "compositional_sample": ("conditions", "num_samples", "prior", "compute_prior_score", *_SHARED),
    "log_prob": ("data", *_SHARED),
    "sample of a ratio": ("conditions", "num_samples", "prior", "method", *_SHARED),
}
_ANYWHERE = ("sample", "compositional_sample", "log_prob")
"""Calls that may have been meant; the others are of an approximator that the user knows not to have."""


def require_options(
    what: str, options: Any, given: Mapping[str, Any], more: Sequence[str] = (), *, call: str | None = None
) -> None:
    """Options that the network has, besides what the call itself takes with `more`; errors call it `what`.

    Raises:
        UnknownHyperparameterError: another, with all that there are; one of another call is told as such.
    """
    own = _CALLS[call or what]
    try:
        options(**{name: value for name, value in given.items() if name not in own})
    except UnknownHyperparameterError as error:
        others = [other for other in _ANYWHERE if error.name in _CALLS[other]]
        if others:
            raise UnknownHyperparameterError(
                f"{what} has no argument {error.name!r}; {others[0]} has\n"
                f"{what} takes {listing(own)}, and options of the network.",
                name=error.name,
                near=None,
            ) from None
        if error.path:
            raise
        known = [field.alias or field.name for field in attrs.fields(options)]
        raise unknown_argument(what, error.name, [*own, *more, *known]) from None


def asked(call: Callable[[], Any], what: str) -> Any:
    """The answer of a user's function; what it raises is told as its own."""
    try:
        return call()
    except SbicoreError:
        raise
    except Exception as error:
        raise ConfigError(f"{what} fails: {type(error).__name__}: {error}") from error


def require_capability(config: Any, capability: str, lack: str) -> None:
    """Raise ConfigError where the network cannot, with those that can."""
    if capability not in config.capabilities:
        from ..registry import plugins

        able = [row["name"] for row in plugins("inference_network", capability=capability)]
        if config.name in able:
            raise ConfigError(
                f"{config.name!r} as it is built here {lack}; with other hyperparameters it does.\n"
                f"sbicore describe {config.name} tells which. This one has {listing(sorted(config.capabilities))}."
            )
        raise ConfigError(
            f"{config.name!r} {lack}.\nNetworks with {capability}: {listing(able) if able else 'none installed'}"
        )


def require_count(name: str, value: Any) -> int:
    """A whole number of at least 1."""
    try:
        count = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise ConfigError(f"{name} must be a whole number of at least 1, got {value!r}")
    return count


def require_rows(raw: Mapping[str, Tensor], what: str) -> int:
    """The common number of rows; one row goes with any number."""
    counts = {name: len(value) for name, value in raw.items()}
    many = {count for count in counts.values() if count != 1}
    if len(many) > 1:
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ShapeError(f"{what}: variables have different numbers of rows: {found}")
    if 0 in many:
        raise DataError(f"{what}: no rows")
    return many.pop() if many else 1


def require_finite(pipeline: Pipeline, raw: Mapping[str, Tensor], joined: Mapping[str, Tensor], what: str) -> None:
    """No NaN or infinity in the user's values, nor made of them by the adapter, but where a mask leaves it out.

    Raises:
        DataError: names the variable and the first observation; also for an observation without any entry.
    """
    if (empty := without_entries(joined)) is not None and bool(empty.any()):
        raise DataError(f"{what}: observation {int(empty.nonzero()[0])} has no entries: all of them are masked")
    if all(bool(torch.isfinite(value).all()) for value in joined.values()):
        return
    raw = there_alone(pipeline, raw, joined)
    for name, bad in not_finite(pipeline, raw).items():
        if bad.any():
            lack, give = (
                ("has no category", "categories") if name in pipeline.categories else ("is not finite", "numbers")
            )
            raise DataError(
                f"{what}: {name!r} {lack} in {_told(bad)}\n"
                f"Give {give}; for values that were not measured, build with missing='mask' and train with such rows.",
                variable=name,
            )
    for reason, rows in pipeline.outside(raw):
        raise DataError(f"{what}: {reason} in {_told(rows)}")
    for role, value in joined.items():
        if not bool(torch.isfinite(value).all()):
            raise DataError(f"{what}: values outside the domain of the adapter ({role})")


def require_held(ready: Mapping[str, Tensor], what: str) -> None:
    """Raise DataError where values are so far from those of the training that the network's dtype cannot hold them."""
    for part, value in ready.items():
        if not bool(torch.isfinite(value).all()):
            raise DataError(f"{what}: {part} are further from the training data than {value.dtype} reaches")


def _told(rows: Tensor) -> str:
    """Which observations these are."""
    return f"{int(rows.sum())} of {len(rows)} observations, first in number {int(rows.nonzero()[0])}"


def checked_bounds(bounds: Any) -> dict[str, tuple[Any, Any]]:
    """`{name: (low, high)}` with scalars or arrays; None or infinity leaves a side open."""
    if bounds is None:
        return {}
    if not isinstance(bounds, Mapping):
        raise ConfigError(f"bounds must be a dict {{name: (low, high)}}, got {bounds!r}")
    return {name: _pair(name, pair) for name, pair in bounds.items()}


def checked_callbacks(callbacks: Any) -> tuple[Callable[[Any, FitEvent], None], ...]:
    """Several callables.

    Raises:
        ConfigError: anything else.
    """
    if not isinstance(callbacks, Iterable):
        raise ConfigError(f"callbacks takes a list of callables (approximator, event), got {callbacks!r}")
    callbacks = tuple(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise ConfigError(f"callbacks are callables (approximator, event), got {callback!r}")
    return callbacks


def checked_fit_kwargs(given: Any) -> dict[str, Any]:
    """Options of `fit` that exist and have possible values."""
    if given is not None and not isinstance(given, Mapping):
        raise ConfigError(f"fit_kwargs takes a mapping of options of fit, got {given!r}")
    options = dict(given or {})
    try:
        FitOptions.from_kwargs(**options)
    except ConfigError as error:
        raise error.within("fit_kwargs") from None
    return options


def _pair(name: str, pair: Any) -> tuple[Any, Any]:
    if not isinstance(pair, (tuple, list)) or len(pair) != 2:
        raise ConfigError(f"bounds of {name!r} must be (low, high), one of which may be None; got {pair!r}")
    for value in pair:
        if value is not None and not _is_real(value):
            raise ConfigError(f"bounds of {name!r} must be real numbers or arrays of them; got {pair!r}")
    low = None if pair[0] is None or np.all(np.asarray(pair[0]) == -np.inf) else pair[0]
    high = None if pair[1] is None or np.all(np.asarray(pair[1]) == np.inf) else pair[1]
    for value in (low, high):
        if value is not None and not np.all(np.isfinite(np.asarray(value, float))):
            raise ConfigError(f"bounds of {name!r} must be finite; None leaves a side open; got {pair!r}")
    if low is None and high is None:
        raise ConfigError(f"bounds of {name!r} leave both sides open; got {pair!r}\nLeave {name!r} out of bounds.")
    if low is not None and high is not None and not _are_ordered(name, np.asarray(low), np.asarray(high)):
        raise ConfigError(f"bounds of {name!r}: low must be below high; got {pair!r}")
    return low, high


def _is_real(value: Any) -> bool:
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return False
    return array.dtype.kind in "biuf"


def _are_ordered(name: str, low: np.ndarray, high: np.ndarray) -> bool:
    try:
        return bool(np.all(low < high))
    except ValueError:
        raise ConfigError(f"bounds of {name!r}: shapes {low.shape} and {high.shape} do not go together") from None
