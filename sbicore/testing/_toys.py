"""Components small enough to test others with, so that no other plugin is needed."""

from __future__ import annotations

from typing import Any, ClassVar

from ..config import SubnetConfig, frozen
from ..fields import integer

__all__ = ["TinySubnet"]


@frozen(kw_only=True)
class TinySubnet(SubnetConfig):
    """One hidden layer on x, the time and the conditions."""

    name: ClassVar[str] = "tiny"
    uses_time: ClassVar[str] = "optional"

    width: int = integer(16, ge=1, doc="Width of the layer.")

    def build(self, shapes: Any) -> Any:
        """The module."""
        from ._modules import TinyModule

        return TinyModule(self, shapes)
