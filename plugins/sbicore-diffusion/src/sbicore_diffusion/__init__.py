"""Diffusion models: a denoiser for all noise levels, and what can be drawn with one."""

from .config import DiffusionModel

__all__ = ["DiffusionModel"]
