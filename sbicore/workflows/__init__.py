"""Workflows: simulator, adapter and approximator in one object."""

from .basic import BasicWorkflow
from .compositional import CompositionalWorkflow
from .ensemble import EnsembleWorkflow
from .model_comparison import ModelComparisonWorkflow

__all__ = ["BasicWorkflow", "CompositionalWorkflow", "EnsembleWorkflow", "ModelComparisonWorkflow"]
