"""A perceptron with sine activations for sbicore."""

from .config import SineMLP

__all__ = ["SineMLP"]
