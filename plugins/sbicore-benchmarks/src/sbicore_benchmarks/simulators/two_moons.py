"""Two moons (task T.8 of arXiv:2101.04653) with its exact likelihood and posterior.

    theta ~ Uniform(-1, 1)^2,  a ~ Uniform(-pi/2, pi/2),  r ~ Normal(0.1, 0.01)  (standard deviation)
    x = (0.25 + r cos a, r sin a) + (-|z_1|, z_2)
    z = ((theta_1 + theta_2) / sqrt 2, (theta_2 - theta_1) / sqrt 2)

The first term of x is the noise point p. Given x, each p with p_1 >= x_1 belongs to exactly two parameters,
z = (+-(p_1 - x_1), x_2 - p_2), and the map from p to z preserves areas. The prior is flat and its box is the
diamond |z_1| + |z_2| <= sqrt 2. So the posterior is: noise points that land in the diamond, with a random
sign of z_1; and the evidence is p(x) = 2 P(p lands in the diamond) / 4.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

import numpy as np

from sbicore.errors import DataError, ShapeError
from sbicore.randomness import fresh_seed

Array = np.ndarray[Any, Any]

LOW, HIGH = -1.0, 1.0
OFFSET = 0.25
RADIUS, SPREAD = 0.1, 0.01
DIAMOND = math.sqrt(2.0) * HIGH
LOG_NORMALISER = math.log(math.sqrt(2.0 * math.pi) * SPREAD * math.pi)
ANGLES = 4096
SMALLEST_ACCEPTANCE = 1e-4


class TwoMoonsSimulator:
    """Prior, simulator, likelihood and posterior of two moons, all vectorised and free of units.

    Log densities are float64; draws are float32. `*` stands for any leading axes.
    """

    parameter_names: ClassVar[tuple[str, ...]] = ("theta_1", "theta_2")
    observable_names: ClassVar[tuple[str, ...]] = ("x_1", "x_2")
    bounds: ClassVar[dict[str, Any]] = {"parameters": ((LOW, LOW), (HIGH, HIGH))}

    def sample(self, n: int, *, seed: int | None = None) -> dict[str, Array]:
        """`n` draws from the joint distribution: `{"parameters": (n, 2), "observables": (n, 2)}`."""
        rng = np.random.default_rng(fresh_seed() if seed is None else seed)
        parameters = self.prior(n, rng)
        return {"parameters": parameters, "observables": self.simulate(parameters, rng)}

    def prior(self, n: int, rng: np.random.Generator) -> Array:
        """`n` draws from the prior, `(n, 2)`."""
        return rng.uniform(LOW, HIGH, (n, 2)).astype(np.float32)

    def prior_log_prob(self, parameters: Any) -> Array:
        """Log density of the prior, `(*, 2) -> (*)`; minus infinity outside the box."""
        parameters = _pairs("parameters", parameters)
        inside = ((parameters >= LOW) & (parameters <= HIGH)).all(axis=-1)
        return np.where(inside, -2.0 * math.log(HIGH - LOW), -np.inf)

    def simulate(self, parameters: Any, rng: np.random.Generator) -> Array:
        """One data set for each parameter, `(*, 2) -> (*, 2)`."""
        z = _rotated(_pairs("parameters", parameters))
        p = _noise(z.shape[:-1], rng)
        return np.stack([p[..., 0] - np.abs(z[..., 0]), p[..., 1] + z[..., 1]], axis=-1).astype(np.float32)

    def log_likelihood(self, parameters: Any, observables: Any) -> Array:
        """Log density of observables given parameters, `(*, 2), (*, 2) -> (*)`.

        The noise point has polar coordinates (a, r) around (0.25, 0) with the sign of r that of its first
        coordinate; its density is Normal(r; 0.1, 0.01) / (pi |r|).
        """
        z = _rotated(_pairs("parameters", parameters))
        x = _pairs("observables", observables)
        u = x[..., 0] + np.abs(z[..., 0]) - OFFSET
        v = x[..., 1] - z[..., 1]
        rho = np.hypot(u, v)
        score = (np.copysign(rho, u) - RADIUS) / SPREAD
        with np.errstate(divide="ignore"):
            log_density: Array = -0.5 * score**2 - LOG_NORMALISER - np.log(rho)
        return log_density

    def log_evidence(self, observable: Any) -> float:
        """Log marginal density of one observable, `(2,)`; exact to about 1e-6."""
        return math.log(max(self._acceptance(_one(observable)), 5e-324)) + math.log(2.0 / (HIGH - LOW) ** 2)

    def posterior(self, observable: Any, n: int, rng: np.random.Generator) -> Array:
        """`n` exact posterior draws for one observable, `(2,) -> (n, 2)`.

        Raises:
            DataError: the observable lies where two moons practically never puts one.
        """
        x = _one(observable)
        acceptance = self._acceptance(x)
        if acceptance < SMALLEST_ACCEPTANCE:
            raise DataError(
                f"Two moons does not produce the observable {x.tolist()}, so it has no posterior.\n"
                "Use one that simulate() or published('two_moons', i) gives.",
                variable="observables",
            )
        kept = np.empty((0, 2))
        while len(kept) < n:
            p = _noise((int(1.1 * (n - len(kept)) / acceptance) + 16,), rng)
            z = np.stack([p[:, 0] - x[0], x[1] - p[:, 1]], axis=-1)
            kept = np.concatenate([kept, z[(z[:, 0] >= 0.0) & (np.abs(z).sum(axis=-1) <= DIAMOND)]])
        sign = rng.choice([-1.0, 1.0], n)
        z_1, z_2 = kept[:n, 0] * sign, kept[:n, 1]
        return (np.stack([z_1 - z_2, z_1 + z_2], axis=-1) / math.sqrt(2.0)).astype(np.float32)

    def posterior_log_prob(self, parameters: Any, observable: Any) -> Array:
        """Log posterior density given one observable, `(*, 2), (2,) -> (*)`."""
        x = _one(observable)
        return self.prior_log_prob(parameters) + self.log_likelihood(parameters, x) - self.log_evidence(x)

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
    scaled = (radius - RADIUS) / (SPREAD * math.sqrt(2.0))
    return 0.5 + 0.5 * np.array([math.erf(value) for value in scaled])


def _pairs(variable: str, values: Any) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim == 0 or array.shape[-1] != 2:
        raise ShapeError(
            f"{variable!r} of two moons has two features, got an array of shape {array.shape}.\n"
            "Give an array of shape (..., 2).",
            variable=variable,
            expected=("...", 2),
            got=array.shape,
        )
    return array


def _one(observable: Any) -> Array:
    array = _pairs("observables", observable)
    if array.shape != (2,):
        raise ShapeError(
            f"The posterior is for one observable of shape (2,), got an array of shape {array.shape}.\n"
            "Call it once for each observable.",
            variable="observables",
            expected=(2,),
            got=array.shape,
        )
    return array
