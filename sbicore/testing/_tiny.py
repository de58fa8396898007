"""A subnet small enough to test networks with, so that no other plugin is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import SubnetConfig, frozen
from ..fields import integer

if TYPE_CHECKING:
    from ..protocols import Subnet
    from ..shapes import Shapes

__all__ = ["TinySubnet"]


@frozen(kw_only=True)
class TinySubnet(SubnetConfig):
    """One hidden layer on x, the time and the conditions."""

    name: ClassVar[str] = "tiny"
    uses_time: ClassVar[str] = "optional"

    width: int = integer(16, ge=1, doc="Width of the layer.")

    def build(self, shapes: Shapes) -> Subnet:
        """The module."""
        from ._tiny_module import TinyModule

        return TinyModule(self, shapes)
