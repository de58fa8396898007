"""Flow matching: a velocity field from noise to the posterior."""

from .config import FlowMatching

__all__ = ["FlowMatching"]
