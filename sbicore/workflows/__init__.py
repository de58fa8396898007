"""Workflows: simulator, adapter and approximator in one object."""

from .basic import BasicWorkflow
from .compositional import CompositionalWorkflow

__all__ = ["BasicWorkflow", "CompositionalWorkflow"]
