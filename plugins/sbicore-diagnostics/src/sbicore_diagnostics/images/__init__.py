"""Of draws that are images: pictures of them, their power spectrum, and the calibration of each pixel."""

from .grid import grid
from .pixelwise_calibration import PixelwiseCalibration, coverage_map, pixelwise_calibration
from .power_spectrum import PowerSpectrum, power_spectrum, spectra

__all__ = [
    "PixelwiseCalibration",
    "PowerSpectrum",
    "coverage_map",
    "grid",
    "pixelwise_calibration",
    "power_spectrum",
    "spectra",
]
