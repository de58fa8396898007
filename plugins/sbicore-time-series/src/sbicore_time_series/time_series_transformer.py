"""The config of `time_series_transformer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, integer, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .time_series_transformer_module import TimeSeriesTransformerModule

__all__ = ["TimeSeriesTransformer"]


@frozen(kw_only=True)
class TimeSeriesTransformer(SummaryNetworkConfig):
    """Attention among the entries of a series, each with its time, and a learned token that becomes the summary."""

    name: ClassVar[str] = "time_series_transformer"
    layout: ClassVar[str] = "series"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks"})
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
        Reference(
            authors=(
                "Kazemi, Seyed Mehran and Goel, Rishab and Eghbali, Sepehr and Ramanan, Janahan and "
                "Sahota, Jaspreet and Thakur, Sanjay and Wu, Stella and Smyth, Cathal and Poupart, Pascal and "
                "Brubaker, Marcus"
            ),
            title="Time2Vec: Learning a Vector Representation of Time",
            year=2019,
            arxiv="1907.05321",
        ),
    )

    summary_dim: int = integer(16, ge=1, doc="Number of summaries.")
    embed_dims: tuple[int, ...] = sizes((64, 64), doc="Width of each attention block.")
    num_heads: tuple[int, ...] = sizes((4, 4), doc="Heads of each attention; each divides the width of its block.")
    expansion_factor: float = number(4.0, gt=0.0, doc="Width of each block's hidden layer, in widths of the block.")
    activation: str = choice("gelu", options=("gelu", "silu", "relu"), doc="Activation of the hidden layers.")
    time_embedding: str | None = choice(
        "time2vec", options=("time2vec",), optional=True, doc="How the times enter; None leaves them out."
    )
    time_embed_dim: int = integer(8, ge=1, doc="Features of the time: one linear, the others periodic.")
    time_axis: int | None = integer(
        None, optional=True, doc="Index of the feature that holds the times; None counts the entries."
    )
    dropout: float = number(0.05, ge=0.0, lt=1.0, doc="Dropout probability at the end of attentions and hidden layers.")

    def __attrs_post_init__(self) -> None:
        blocks, given = len(self.embed_dims), len(self.num_heads)
        if given != blocks:
            raise ConfigError(f"needs one number for each of the {blocks} embed_dims, got {given}").within("num_heads")
        for width, heads in zip(self.embed_dims, self.num_heads, strict=True):
            if width % heads:
                raise ConfigError(f"{heads} heads do not divide a width of {width}").within("num_heads")
        if self.time_axis is not None and self.time_embedding is None:
            found = "without a time_embedding the times would be dropped"
            raise ConfigError(f"{found}\nGive: time_axis=None, which keeps them as a feature").within("time_axis")

    def build(self, shapes: Shapes) -> TimeSeriesTransformerModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given.

        Raises:
            ConfigError: the series have no feature `time_axis`.
        """
        features = shapes.target[-1]
        if self.time_axis is not None and not -features <= self.time_axis < features:
            found = f"the series have {features} features, and so none of index {self.time_axis}"
            raise ConfigError(found).within("time_axis")
        from .time_series_transformer_module import TimeSeriesTransformerModule

        return TimeSeriesTransformerModule(self, shapes)
