"""Consistency models: draws in one or a few evaluations of a network."""

from .config import ConsistencyModel
from .stable_config import StableConsistencyModel

__all__ = ["ConsistencyModel", "StableConsistencyModel"]
