"""The training loop, its options, its record and what observes it."""

from .history import FitEvent, History
from .options import FitOptions

__all__ = ["FitEvent", "FitOptions", "History"]
