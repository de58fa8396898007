"""The config of `time_mlp`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SubnetConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, integer, number, sizes
from sbicore.references import Reference

from .mlp import ACTIVATIONS, NORMS

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .time_mlp_module import TimeMLPModule

__all__ = ["TimeMLP"]


@frozen(kw_only=True)
class TimeMLP(SubnetConfig):
    """A multilayer perceptron modulated by time, and by the conditions where asked."""

    name: ClassVar[str] = "time_mlp"
    uses_time: ClassVar[str] = "required"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=("Perez, Ethan and Strub, Florian and de Vries, Harm and Dumoulin, Vincent and Courville, Aaron"),
            title="FiLM: Visual Reasoning with a General Conditioning Layer",
            year=2018,
            venue="AAAI Conference on Artificial Intelligence",
            arxiv="1709.07871",
        ),
        Reference(
            authors=(
                "Tancik, Matthew and Srinivasan, Pratul P. and Mildenhall, Ben and Fridovich-Keil, Sara and "
                "Raghavan, Nithin and Singhal, Utkarsh and Ramamoorthi, Ravi and Barron, Jonathan T. and Ng, Ren"
            ),
            title="Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains",
            year=2020,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2006.10739",
        ),
        Reference(
            authors="Shazeer, Noam",
            title="GLU Variants Improve Transformer",
            year=2020,
            arxiv="2002.05202",
        ),
    )

    widths: tuple[int, ...] = sizes((256,) * 5, doc="Widths of the hidden layers.")
    activation: str = choice("silu", options=ACTIVATIONS, doc="Activation of every layer.")
    gated: bool = flag(False, doc="Whether each layer multiplies its activations by a second linear map (GLU).")
    residual: bool = flag(True, doc="Add each layer's input to its output (projected where widths differ).")
    norm: str | None = choice("layer", options=NORMS, optional=True, doc="Normalisation of each layer's input.")
    conditioning: str = choice(
        "time_film",
        options=("time_film", "film", "concat"),
        doc="How layers see time and conditions: FiLM from time, FiLM from both, or at the input only.",
    )
    film_use_gamma: bool = flag(True, doc="Whether FiLM scales as well as shifts.")
    time_embedding_dim: int = integer(
        32, ge=1, doc="Fourier features of the time, an even number; 1 passes the raw time."
    )
    fourier_scale: float = number(
        1.0, gt=0.0, doc="Standard deviation of the initial frequencies, in cycles per unit of time."
    )
    dropout: float = number(0.0, ge=0.0, lt=1.0, doc="Dropout probability at the end of each layer.")

    def __attrs_post_init__(self) -> None:
        if self.time_embedding_dim > 1 and self.time_embedding_dim % 2:
            raise ConfigError(f"must be 1 or even, got {self.time_embedding_dim}").within("time_embedding_dim")

    def build(self, shapes: Shapes) -> TimeMLPModule:
        """The module; its `out_features` is the last width unless `shapes.output` is given."""
        from .time_mlp_module import TimeMLPModule

        return TimeMLPModule(self, shapes)
