"""The sizes a module is built for, without leading (batch) axes."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from .fields import FrozenMapping

__all__ = ["Shapes", "SummaryInput"]


def _sizes(value: object) -> tuple[int, ...] | None:
    return None if value is None else tuple(int(size) for size in value)  # type: ignore[attr-defined]


def _by_name(value: Mapping[str, object]) -> FrozenMapping:
    return FrozenMapping({name: _sizes(event) for name, event in value.items()})


@attrs.frozen(kw_only=True)
class Shapes:
    """What `config.build(shapes)` receives.

    Args:
        target: event shape of the targets, e.g. `(D,)` or `(H, W, C)`.
        conditions: event shape of the conditions, or None without any.
        time: whether a time is passed with each call (subnets).
        output: features wanted on the last axis; None leaves the choice to the module,
            which states it as `out_features`.
        inputs: for a summary network that reads several variables, the event shape of each by name; there is no
            target then.
    """

    target: tuple[int, ...] = attrs.field(default=(), converter=_sizes)
    conditions: tuple[int, ...] | None = attrs.field(default=None, converter=_sizes)
    time: bool = False
    output: int | None = None
    inputs: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict, converter=_by_name)


@attrs.frozen
class SummaryInput:
    """How a summary network reads one of several variables, where no config of a part of it says so.

    Args:
        layout: `set`, `series` or `image`.
        capabilities: `masks` where it takes a mask of this variable, `permutation_invariant`.
    """

    layout: str = "set"
    capabilities: frozenset[str] = attrs.field(default=frozenset(), converter=frozenset)
