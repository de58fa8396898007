"""Euler's method."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import FixedStepConfig

__all__ = ["Euler"]


@frozen(kw_only=True)
class Euler(FixedStepConfig):
    """Order 1, one evaluation a step.

    References:
        Euler (1768), Institutionum calculi integralis, vol. 1, sect. 2, ch. 7; as in Hairer,
        Norsett and Wanner (1993), Solving ODEs I, doi:10.1007/978-3-540-78862-1, sect. I.7.
    """

    name: ClassVar[str] = "euler"
    order: ClassVar[int] = 1
    default_steps: ClassVar[int] = 100
    solver: ClassVar[str] = "euler"
