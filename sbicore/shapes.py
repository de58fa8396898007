"""The sizes a module is built for, without leading (batch) axes."""

from __future__ import annotations

import attrs

__all__ = ["Shapes"]


def _sizes(value: object) -> tuple[int, ...] | None:
    return None if value is None else tuple(int(size) for size in value)  # type: ignore[attr-defined]


@attrs.frozen(kw_only=True)
class Shapes:
    """What `config.build(shapes)` receives.

    Args:
        target: event shape of the targets, e.g. `(D,)` or `(H, W, C)`.
        conditions: event shape of the conditions, or None without any.
        time: whether a time is passed with each call (subnets).
        output: features wanted on the last axis; None leaves the choice to the module,
            which states it as `out_features`.
    """

    target: tuple[int, ...] = attrs.field(converter=_sizes)
    conditions: tuple[int, ...] | None = attrs.field(default=None, converter=_sizes)
    time: bool = False
    output: int | None = None
