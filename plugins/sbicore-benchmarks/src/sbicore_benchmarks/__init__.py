"""Benchmark simulators, published reference posteriors and benchmark runners for sbicore."""

from .config import TwoMoons

__all__ = ["TwoMoons"]
