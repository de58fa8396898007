"""Two moons, with its exact likelihood and posterior.

x is a noise point p plus (-|z_1|, z_2), where z is theta turned by 45 degrees. Given x, each p with p_1 >= x_1
belongs to exactly two parameters, z = (+-(p_1 - x_1), x_2 - p_2), and the map from p to z preserves areas. The
prior is flat and its box is the diamond |z_1| + |z_2| <= sqrt 2. So the posterior is: noise points that land in
the diamond, with a random sign of z_1; and the evidence is p(x) = 2 P(p lands in the diamond) / 4.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import ndtr

from ._base import ExactSimulator
from ._priors import Array, Box

LOW, HIGH = -1.0, 1.0
OFFSET = 0.25
RADIUS, SPREAD = 0.1, 0.01
DIAMOND = math.sqrt(2.0) * HIGH
LOG_NORMALISER = math.log(math.sqrt(2.0 * math.pi) * SPREAD * math.pi)
ANGLES = 4096
SMALLEST_ACCEPTANCE = 1e-4
ROUNDING = 1e-12


class TwoMoonsSimulator(ExactSimulator):
    """Prior, simulator, likelihood and posterior of two_moons; `log_evidence` is exact to about 1e-6."""

    name = "two_moons"
    parameter_names = ("theta_1", "theta_2")
    observable_names = ("x_1", "x_2")
    _prior = Box(LOW, HIGH, 2)

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        z = _rotated(parameters)
        p = _noise(z.shape[:-1], rng)
        return np.stack([p[..., 0] - np.abs(z[..., 0]), p[..., 1] + z[..., 1]], axis=-1)

    def _log_likelihood(self, parameters: Array, observables: Array) -> Array:
        """The noise point has polar coordinates (a, r) around (0.25, 0), r with the sign of its first coordinate.

        Its density is Normal(r; 0.1, 0.01) / (pi |r|).
        """
        z = _rotated(parameters)
        u = observables[..., 0] + np.abs(z[..., 0]) - OFFSET
        v = observables[..., 1] - z[..., 1]
        rho = np.hypot(u, v)
        score = (np.copysign(rho, u) - RADIUS) / SPREAD
        with np.errstate(divide="ignore"):
            log_density: Array = -0.5 * score**2 - LOG_NORMALISER - np.log(rho)
        return log_density

    def _log_evidence(self, x: Array) -> float:
        acceptance = self._acceptance(x)
        if acceptance < ROUNDING:
            raise self._impossible(x)
        return math.log(acceptance) + math.log(2.0 / (HIGH - LOW) ** 2)

    def _posterior(self, x: Array, n: int, rng: np.random.Generator) -> Array:
        acceptance = self._acceptance(x)
        if acceptance < SMALLEST_ACCEPTANCE:
            raise self._impossible(x)
        kept = np.empty((0, 2))
        while len(kept) < n:
            p = _noise((int(1.1 * (n - len(kept)) / acceptance) + 16,), rng)
            z = np.stack([p[:, 0] - x[0], x[1] - p[:, 1]], axis=-1)
            kept = np.concatenate([kept, z[(z[:, 0] >= 0.0) & (np.abs(z).sum(axis=-1) <= DIAMOND)]])
        sign = rng.choice([-1.0, 1.0], n)
        z_1, z_2 = kept[:n, 0] * sign, kept[:n, 1]
        return np.stack([z_1 - z_2, z_1 + z_2], axis=-1) / math.sqrt(2.0)

    def _acceptance(self, x: Array) -> float:
        """Probability that a noise point lands in the diamond of `x`.

        Along each angle the diamond cuts out an interval of r, from three inequalities k r <= b; the angles
        are averaged by the midpoint rule, and at no midpoint is a k zero.
        """
        angle = math.pi * ((np.arange(ANGLES) + 0.5) / ANGLES - 0.5)
        cos, sin = np.cos(angle), np.sin(angle)
        k = np.stack([-cos, cos - sin, cos + sin])
        room = DIAMOND + x[0] - OFFSET
        limit = np.array([[OFFSET - x[0]], [room - x[1]], [room + x[1]]]) / k
        upper = np.where(k > 0.0, limit, np.inf).min(axis=0)
        lower = np.where(k < 0.0, limit, -np.inf).max(axis=0)
        return float(np.maximum(_normal_cdf(upper) - _normal_cdf(lower), 0.0).mean())


def _noise(shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    angle = rng.uniform(-0.5 * math.pi, 0.5 * math.pi, shape)
    radius = rng.normal(RADIUS, SPREAD, shape)
    return np.stack([OFFSET + radius * np.cos(angle), radius * np.sin(angle)], axis=-1)


def _rotated(parameters: Array) -> Array:
    theta_1, theta_2 = parameters[..., 0], parameters[..., 1]
    return np.stack([theta_1 + theta_2, theta_2 - theta_1], axis=-1) / math.sqrt(2.0)


def _normal_cdf(radius: Array) -> Array:
    probability: Array = ndtr((radius - RADIUS) / SPREAD)
    return probability
