"""The config of `deep_set`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, integer, sizes
from sbicore.references import Reference

from .config import SetSummaryConfig

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .deep_set_module import DeepSetModule

__all__ = ["DeepSet"]


@frozen(kw_only=True)
class DeepSet(SetSummaryConfig):
    """Layers in which each entry sees a pooled vector of the set, then pooling by attention."""

    name: ClassVar[str] = "deep_set"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Zaheer, Manzil and Kottur, Satwik and Ravanbakhsh, Siamak and Poczos, Barnabas "
            "and Salakhutdinov, Ruslan and Smola, Alexander",
            title="Deep Sets",
            year=2017,
            venue="Advances in Neural Information Processing Systems",
            arxiv="1703.06114",
        ),
        Reference(
            authors="Lee, Juho and Lee, Yoonho and Kim, Jungtaek and Kosiorek, Adam R. and Choi, Seungjin "
            "and Teh, Yee Whye",
            title="Set Transformer: A Framework for Attention-based Permutation-Invariant Neural Networks",
            year=2019,
            venue="International Conference on Machine Learning",
            arxiv="1810.00825",
        ),
    )

    embed_dim: int = integer(64, ge=1, doc="Width of an entry inside, a multiple of num_heads.")
    depth: int = integer(2, ge=1, doc="Number of layers.")
    mlp_widths: tuple[int, ...] = sizes((64,), doc="Widths of the hidden layers of each layer's perceptrons.")
    inner_pooling: str = choice(
        "mean", options=("mean", "max", "min", "attention"), doc="How each layer pools the set that its entries see."
    )
    num_heads: int = integer(4, ge=1, doc="Heads of every pooling by attention.")
    activation: str = choice(
        "silu", options=("silu", "gelu", "relu", "tanh", "mish"), doc="Activation of the layers' perceptrons."
    )

    def __attrs_post_init__(self) -> None:
        if self.embed_dim % self.num_heads:
            raise ConfigError(f"must divide embed_dim, {self.embed_dim}; got {self.num_heads}").within("num_heads")

    def build(self, shapes: Shapes) -> DeepSetModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given."""
        from .deep_set_module import DeepSetModule

        return DeepSetModule(self, shapes)
