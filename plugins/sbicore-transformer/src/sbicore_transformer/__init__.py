"""A transformer over variables as a subnet: `diffusion_transformer`."""

from .config import DiffusionTransformer

__all__ = ["DiffusionTransformer"]
