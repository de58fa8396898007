"""U-shaped vision transformers for image and field targets: `uvit`, `residual_uvit`."""

from .config import ResidualUViT, UViT

__all__ = ["ResidualUViT", "UViT"]
