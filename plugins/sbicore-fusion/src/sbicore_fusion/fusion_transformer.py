"""The config of `fusion_transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, integer, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .fusion_transformer_module import FusionTransformerModule

__all__ = ["FusionTransformer"]


@frozen(kw_only=True)
class FusionTransformer(SummaryNetworkConfig):
    """Attention among the entries of a series, which the end states of a recurrent network then ask."""

    name: ClassVar[str] = "fusion_transformer"
    layout: ClassVar[str] = "series"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks"})
    compiles: ClassVar[bool] = False
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=(
                "Vaswani, Ashish and Shazeer, Noam and Parmar, Niki and Uszkoreit, Jakob and Jones, Llion and "
                "Gomez, Aidan N. and Kaiser, Lukasz and Polosukhin, Illia"
            ),
            title="Attention Is All You Need",
            year=2017,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1706.03762",
        ),
    )

    summary_dim: int = integer(16, ge=1, doc="Number of summaries.")
    embed_dims: tuple[int, ...] = sizes((64, 64), doc="Width of each attention block; the last one is asked.")
    num_heads: tuple[int, ...] = sizes((4, 4), doc="Heads of each attention; each divides the width of its block.")
    expansion_factor: float = number(4.0, gt=0.0, doc="Width of each block's hidden layer, in widths of the block.")
    activation: str = choice("gelu", options=("gelu", "silu", "relu"), doc="Activation of the hidden layers.")
    template_type: str = choice("gru", options=("gru", "lstm"), doc="Cell of the recurrent network that asks.")
    template_dim: int = integer(128, ge=1, doc="Width of its state.")
    bidirectional: bool = flag(True, doc="Whether a second one reads the series backwards.")
    dropout: float = number(0.05, ge=0.0, lt=1.0, doc="Dropout probability of states, attentions and hidden layers.")

    def __attrs_post_init__(self) -> None:
        blocks, given = len(self.embed_dims), len(self.num_heads)
        if given != blocks:
            raise ConfigError(f"needs one number for each of the {blocks} embed_dims, got {given}").within("num_heads")
        for width, heads in zip(self.embed_dims, self.num_heads, strict=True):
            if width % heads:
                raise ConfigError(f"{heads} heads do not divide a width of {width}").within("num_heads")

    def build(self, shapes: Shapes) -> FusionTransformerModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given."""
        from .fusion_transformer_module import FusionTransformerModule

        return FusionTransformerModule(self, shapes)
