"""Coupling flows: an invertible map between posterior and base, with an exact density."""

from .config import CouplingFlow

__all__ = ["CouplingFlow"]
