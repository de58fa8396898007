"""The config of `set_transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import frozen
from sbicore.errors import ConfigError
from sbicore.fields import flag, integer, sizes
from sbicore.references import Reference

from .config import SetSummaryConfig

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .set_transformer_module import SetTransformerModule

__all__ = ["SetTransformer"]


@frozen(kw_only=True)
class SetTransformer(SetSummaryConfig):
    """Blocks in which the entries attend to each other, then pooling by attention."""

    name: ClassVar[str] = "set_transformer"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Lee, Juho and Lee, Yoonho and Kim, Jungtaek and Kosiorek, Adam R. and Choi, Seungjin "
            "and Teh, Yee Whye",
            title="Set Transformer: A Framework for Attention-based Permutation-Invariant Neural Networks",
            year=2019,
            venue="International Conference on Machine Learning",
            arxiv="1810.00825",
        ),
        Reference(
            authors="Shazeer, Noam",
            title="GLU Variants Improve Transformer",
            year=2020,
            arxiv="2002.05202",
        ),
    )

    embed_dims: tuple[int, ...] = sizes((64, 64), doc="Width of an entry in each block.")
    num_heads: tuple[int, ...] = sizes((4, 4), doc="Heads of each block, divisors of embed_dims; the last pools, too.")
    gate_attention: bool = flag(True, doc="Whether each block's attention enters by a factor that starts at 0.")
    gate_ffn: bool = flag(True, doc="Whether each feed-forward map enters by a factor that starts at 0.")
    num_inducing_points: int | None = integer(
        None,
        ge=1,
        optional=True,
        doc="Points through which entries attend to each other, at a cost linear in their number; None: directly.",
    )

    def __attrs_post_init__(self) -> None:
        if len(self.num_heads) != len(self.embed_dims):
            raise ConfigError(
                f"must have the length of embed_dims, {len(self.embed_dims)}; got {len(self.num_heads)}"
            ).within("num_heads")
        for heads, width in zip(self.num_heads, self.embed_dims, strict=True):
            if width % heads:
                raise ConfigError(f"must divide embed_dims, {self.embed_dims}; got {self.num_heads}").within(
                    "num_heads"
                )

    def build(self, shapes: Shapes) -> SetTransformerModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given."""
        from .set_transformer_module import SetTransformerModule

        return SetTransformerModule(self, shapes)
