"""Solvers of ordinary differential equations by class name, from core and whatever is installed.

Core's own, one method a file: Euler, Midpoint, Heun, RK4 of fixed steps; Bosh3, Dopri5, Dopri8,
Tsit5 adaptive.
"""

from .._namespaces import namespace

__getattr__, __dir__ = namespace(__name__)
