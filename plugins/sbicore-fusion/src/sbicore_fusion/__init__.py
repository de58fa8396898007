"""Summary networks that bring views together: `fusion_network` and `fusion_transformer`."""

from .fusion_network import FusionNetwork
from .fusion_transformer import FusionTransformer

__all__ = ["FusionNetwork", "FusionTransformer"]
