"""Scoring rules by class name, from core and whatever is installed."""

from .._namespaces import namespace

__getattr__, __dir__ = namespace(__name__)
