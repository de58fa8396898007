"""The config of `sine_mlp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.fields import number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .module import SineModule

__all__ = ["SineMLP"]


@frozen(kw_only=True)
class SineMLP(SubnetConfig):
    """A perceptron with sine activations, for targets that oscillate."""

    name: ClassVar[str] = "sine_mlp"
    uses_time: ClassVar[str] = "optional"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Sitzmann, Vincent and Martel, Julien N. P. and Bergman, Alexander W. "
            "and Lindell, David B. and Wetzstein, Gordon",
            title="Implicit Neural Representations with Periodic Activation Functions",
            year=2020,
            arxiv="2006.09661",
        ),
    )

    widths: tuple[int, ...] = sizes((128, 128), doc="Widths of the hidden layers.")
    frequency: float = number(3.0, gt=0.0, doc="Factor on the argument of the first sine.")

    def build(self, shapes: Shapes) -> SineModule:
        """The module; its `out_features` is the last width, or `shapes.output` where that is given."""
        from .module import SineModule

        return SineModule(self, shapes)
