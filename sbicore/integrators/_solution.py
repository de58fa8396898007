"""What goes into a solver and what comes out."""

from __future__ import annotations

from typing import Any

import attrs
import torch
from torch import Tensor

from ..errors import DataError, ShapeError

__all__ = ["Parts", "Solution", "as_parts", "rows_of", "solution"]

Parts = tuple[Tensor, ...]


@attrs.define
class Solution:
    """The end of a trajectory and what it cost.

    Args:
        state: the solution at `t1`, of the structure, shapes, dtype and device of `x`.
        evaluations: `(R,)` integers on the CPU: evaluations of the field while this row was active.
        steps: `(R,)` integers on the CPU: steps taken (attempts that were rejected do not count).
    """

    state: Any
    evaluations: Tensor
    steps: Tensor


def solution(x: Any, parts: Parts, evaluations: Tensor | int, steps: Tensor | int) -> Solution:
    """Parts put back into the structure of `x`, with counts for each row."""

    def per_row(count: Tensor | int) -> Tensor:
        return count if isinstance(count, Tensor) else torch.full((rows_of(parts),), count)

    return Solution(parts if isinstance(x, tuple) else parts[0], per_row(evaluations), per_row(steps))


def rows_of(parts: Parts) -> int:
    """The length of the leading row axis."""
    return parts[0].shape[0]


def as_parts(x: Any) -> Parts:
    """The state as a tuple of tensors.

    Raises:
        DataError: not floating-point tensors of one dtype on one device.
        ShapeError: no common leading row axis.
    """
    parts = x if isinstance(x, tuple) else (x,)
    if not parts or not all(isinstance(part, Tensor) for part in parts):
        raise DataError(f"The state must be a tensor or a tuple of tensors, got {type(x).__name__}.")
    if not parts[0].is_floating_point() or len({(part.dtype, part.device) for part in parts}) > 1:
        found = ", ".join(f"{part.dtype} on {part.device}" for part in parts)
        raise DataError(f"The state needs one floating-point dtype and one device.\nGot: {found}")
    if any(part.dim() == 0 for part in parts) or len({part.shape[0] for part in parts}) > 1:
        shapes = [tuple(part.shape) for part in parts]
        raise ShapeError(
            f"All parts of the state need the same leading row axis.\nGot shapes: {shapes}",
            variable="x",
            expected="(R, ...)",
            got=shapes,
        )
    return parts
