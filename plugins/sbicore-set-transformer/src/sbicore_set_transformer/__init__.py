"""Summary networks of sets: `deep_set` and `set_transformer`."""

from .deep_set import DeepSet
from .set_transformer import SetTransformer

__all__ = ["DeepSet", "SetTransformer"]
