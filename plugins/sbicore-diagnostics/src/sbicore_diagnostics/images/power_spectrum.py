"""How much of an image varies at which scale: where draws are smoother or rougher than true images, this shows it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from .._data import Arrays
from ..plots._style import ACCENT, BLUE, axes_of, tint
from ._fields import drawn_and_true

__all__ = ["PowerSpectrum", "power_spectrum", "spectra"]


class PowerSpectrum(NamedTuple):
    """Power by wave number.

    wave_numbers: `(K,)`, in cycles per pixel. truth: `(K,)`, mean over true images. draws: `(S, K)`, for each draw its
    mean over data sets.
    """

    wave_numbers: np.ndarray
    truth: np.ndarray
    draws: np.ndarray


def spectra(samples: Arrays, targets: Arrays, *, channel: int = 0) -> PowerSpectrum:
    """Power of draws and of true images, averaged over directions; if the posterior is right, they agree.

    A draw given an observation and the truth behind it have the same law, so that averages over data sets agree up to
    their noise, whatever the posterior is. Squared moduli of the discrete Fourier transform, divided by the number of
    pixels, are averaged over rings of wave vectors; the mean of an image is left out.

    Args:
        samples: draws `(N, S, H, W, C)`.
        targets: true images `(N, H, W, C)`.
        channel: to look at.

    Raises:
        DataError, ShapeError: as `grid`.
    """
    draws, truths = drawn_and_true(samples, targets, channel)
    rings, weights, centres = _rings(truths.shape[1:])
    return PowerSpectrum(centres, _power(truths, rings, weights).mean(0), _power(draws, rings, weights).mean(0))


def power_spectrum(samples: Arrays, targets: Arrays, *, channel: int = 0, ax: Axes | None = None) -> Axes:
    """The spectra on logarithmic axes: that of true images as a line over the range of the draws'; returns the axes.

    Args:
        samples, targets, channel: as in `spectra`.
        ax: to draw on; by default a new figure's.
    """
    found = spectra(samples, targets, channel=channel)
    ax = axes_of(ax, (4.2, 3.2))
    low, middle, high = np.quantile(found.draws, [0.05, 0.5, 0.95], axis=0)
    ax.fill_between(found.wave_numbers, low, high, color=tint(0.3), lw=0, label="draws, 90 %")
    ax.plot(found.wave_numbers, middle, color=BLUE, lw=1.2, label="draws, median")
    ax.plot(found.wave_numbers, found.truth, color=ACCENT, lw=1.2, ls=(0, (4, 2)), label="true images")
    ax.set(xscale="log", yscale="log", xlabel="cycles per pixel", ylabel="power")
    ax.xaxis.set_major_locator(FixedLocator([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, fontsize=8)
    return ax


def _rings(size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ring of each wave vector of `rfft2`, how often it counts, and the mean wave number of each ring."""
    down, along = np.fft.fftfreq(size[0]), np.fft.rfftfreq(size[1])
    length = np.hypot(down[:, None], along).ravel()
    twice = (along > 0) & ((along < 0.5) | (size[1] % 2 == 1))
    weights = np.broadcast_to(1.0 + twice, (size[0], len(along))).ravel().copy()
    weights[length == 0] = 0.0
    number = np.rint(length * max(size)).astype(int)
    rings = np.unique(number, return_inverse=True)[1].reshape(-1)
    total = np.bincount(rings, weights)
    kept = np.flatnonzero(total > 0)
    place = np.full(len(total), -1)
    place[kept] = np.arange(len(kept))
    centres = np.bincount(rings, weights * length)[kept] / total[kept]
    return place[rings], weights, centres


def _power(images: np.ndarray, rings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """`(*, H, W) -> (*, K)`."""
    power = np.abs(np.fft.rfft2(images)) ** 2 / (images.shape[-2] * images.shape[-1])
    flat = power.reshape(*images.shape[:-2], -1)
    share = np.zeros((len(rings), rings.max() + 1))
    used = rings >= 0
    share[np.flatnonzero(used), rings[used]] = weights[used]
    return flat @ (share / share.sum(0))
