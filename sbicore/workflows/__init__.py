"""Workflows: simulator, adapter and approximator in one object."""

from .basic import BasicWorkflow
from .compositional import CompositionalWorkflow
from .model_comparison import ModelComparisonWorkflow

__all__ = ["BasicWorkflow", "CompositionalWorkflow", "ModelComparisonWorkflow"]
