"""Benchmark simulators by class name, from whatever is installed."""

from ._namespaces import namespace

__getattr__, __dir__ = namespace(__name__)
