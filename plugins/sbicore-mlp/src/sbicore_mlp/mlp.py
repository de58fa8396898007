"""The config of `mlp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.fields import choice, flag, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .mlp_module import MLPModule

__all__ = ["ACTIVATIONS", "MLP", "NORMS"]

ACTIVATIONS = ("silu", "gelu", "relu", "tanh", "mish", "hard_silu")
NORMS = ("layer", "rms")


@frozen(kw_only=True)
class MLP(SubnetConfig):
    """A multilayer perceptron of x, the conditions and, where one is given, the raw time."""

    name: ClassVar[str] = "mlp"
    uses_time: ClassVar[str] = "optional"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing and Sun, Jian",
            title="Deep Residual Learning for Image Recognition",
            year=2016,
            venue="IEEE Conference on Computer Vision and Pattern Recognition",
            arxiv="1512.03385",
        ),
        Reference(
            authors="Shazeer, Noam",
            title="GLU Variants Improve Transformer",
            year=2020,
            arxiv="2002.05202",
        ),
    )

    widths: tuple[int, ...] = sizes((256, 256), doc="Widths of the hidden layers.")
    activation: str = choice("silu", options=ACTIVATIONS, doc="Activation of every layer.")
    gated: bool = flag(False, doc="Whether each layer multiplies its activations by a second linear map (GLU).")
    residual: bool = flag(True, doc="Add each layer's input to its output (projected where widths differ).")
    norm: str | None = choice(None, options=NORMS, optional=True, doc="Normalisation of each layer's input.")
    dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability at the end of each layer.")

    def build(self, shapes: Shapes) -> MLPModule:
        """The module; its `out_features` is the last width unless `shapes.output` is given."""
        from .mlp_module import MLPModule

        return MLPModule(self, shapes)
