"""Multilayer perceptrons as subnets: `mlp` and `time_mlp`."""

from .mlp import MLP
from .time_mlp import TimeMLP

__all__ = ["MLP", "TimeMLP"]
