"""The hyperparameters that both summary networks have."""

from __future__ import annotations

from typing import ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.fields import choice, flag, integer, number

__all__ = ["GLU_VARIANTS", "INITIALIZERS", "SetSummaryConfig"]

GLU_VARIANTS = ("swiglu", "geglu", "reglu", "glu", "bilinear")
INITIALIZERS = ("orthogonal", "glorot_uniform", "he_normal")


@frozen(kw_only=True)
class SetSummaryConfig(SummaryNetworkConfig):
    """What the pooling by attention, the feed-forward maps and the last linear map need."""

    layout: ClassVar[str] = "set"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks", "permutation_invariant"})

    summary_dim: int = integer(16, ge=1, doc="Length of the summary.")
    num_seeds: int = integer(4, ge=1, doc="Queries of the pooling by attention; their results lie side by side.")
    seed_dim: int | None = integer(
        None, ge=1, optional=True, doc="Length of a query before it is projected; None: the width of the entries."
    )
    expansion_factor: float = number(
        4.0, gt=0.0, doc="Weights of a feed-forward map: as many as without a gate at this many widths of hidden layer."
    )
    glu_variant: str = choice("swiglu", options=GLU_VARIANTS, doc="Gate of the feed-forward maps.")
    use_bias: bool = flag(False, doc="Whether attention and feed-forward maps have biases.")
    layer_norm: bool = flag(True, doc="Whether the input of each layer is normalised to mean square 1 (RMSNorm).")
    kernel_initializer: str = choice("orthogonal", options=INITIALIZERS, doc="Initial weights of linear maps.")
    dropout: float = number(
        0.05, ge=0.0, lt=1.0, doc="Dropout probability of attention weights and at the end of each feed-forward map."
    )
