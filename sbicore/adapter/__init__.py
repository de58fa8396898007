"""Named arrays in, named roles out: invertible, differentiable, with log|det J|; torch-free to import."""

from __future__ import annotations

from .adapter import Adapter
from .bound import BoundAdapter
from .transform import Transform

__all__ = ["Adapter", "BoundAdapter", "Transform"]
