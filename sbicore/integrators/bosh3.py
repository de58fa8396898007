"""Bogacki and Shampine's 3(2) pair."""

from __future__ import annotations

from typing import ClassVar

from ..config import frozen
from ._config import AdaptiveConfig

__all__ = ["Bosh3"]


@frozen(kw_only=True)
class Bosh3(AdaptiveConfig):
    """Order 3, adaptive, three evaluations a step: the cheapest choice at loose tolerances.

    References:
        Bogacki and Shampine (1989), doi:10.1016/0893-9659(89)90079-7.
    """

    name: ClassVar[str] = "bosh3"
    order: ClassVar[int] = 3
