"""Workflows: simulator, adapter and approximator in one object."""

from .basic import BasicWorkflow

__all__ = ["BasicWorkflow"]
