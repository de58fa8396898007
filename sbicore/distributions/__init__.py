"""Base distributions by class name, from core and whatever is installed.

Core's own, one a file: Normal, StudentT, Mixture.
"""

from .._namespaces import namespace

__getattr__, __dir__ = namespace(__name__)
