"""A summary network of images: `convolutional_network`."""

from .config import ConvolutionalNetwork

__all__ = ["ConvolutionalNetwork"]
