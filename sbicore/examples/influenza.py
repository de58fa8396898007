"""Influenza in an English boarding school, 1978: real data, an SIR model, and its likelihood.

Of 763 boys 512 fell ill; the number in bed was recorded on 14 days (British Medical Journal, 4 March
1978, p. 587; `influenza_england_1978_school` of the R package outbreaks). The model and its priors
are those of Grinsztajn, Semenova, Margossian & Riou, "Bayesian workflow for disease transmission
modeling in Stan", arXiv:2006.02985:

    dS/dt = -beta S I / N,   dI/dt = beta S I / N - gamma I,   S(0) = 762, I(0) = 1, N = 763
    in_bed[t] ~ NegBinomial(mean I(t), variance I(t) + I(t)^2 phi_inv),   t = 1 ... 14 days
    beta ~ N+(2, 1),   gamma ~ N+(0.4, 0.5),   phi_inv ~ Exponential(rate 5)

Everything here needs NumPy only. The likelihood is known, so that MCMC can check the posterior.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from ..errors import DataError
from ..simulation import Simulator, make_simulator

__all__ = [
    "IN_BED",
    "PARAMETERS",
    "infected",
    "log_likelihood",
    "log_prior",
    "outbreak",
    "prior",
    "simulator",
]

IN_BED = (3, 8, 26, 76, 225, 298, 258, 233, 189, 128, 68, 29, 14, 4)
PARAMETERS = ("beta", "gamma", "phi_inv")

_BOYS = 763
_STEPS_PER_DAY = 20  # relative error of I(t) over the prior: 4e-7 in 99 of 100 draws, 4e-6 at most
_POISSON = 1e-12  # below this phi_inv the counts cannot be told from Poisson
_PRIORS = {"beta": (2.0, 1.0), "gamma": (0.4, 0.5)}
_RATE = 5.0


def simulator() -> Simulator:
    """Rows of `beta`, `gamma`, `phi_inv`, each `(n,)`, and `in_bed` `(n, 14)`, counts as integers."""
    return make_simulator([prior, outbreak], vectorized=True)


def prior(n: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """`n` draws of the parameters, each `(n,)`."""
    draws = {name: _positive_normal(*_PRIORS[name], n, rng) for name in _PRIORS}
    return {**draws, "phi_inv": rng.exponential(1 / _RATE, n)}


def outbreak(beta: ArrayLike, gamma: ArrayLike, phi_inv: ArrayLike, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Counts `in_bed` `(n, 14)` for parameters `(n,)`.

    Raises:
        DataError: a parameter that is negative or not finite.
    """
    phi = np.maximum(_valid("phi_inv", phi_inv), _POISSON)[:, None]
    mean = infected(_valid("beta", beta), _valid("gamma", gamma))
    return {"in_bed": rng.poisson(mean * phi * rng.gamma(1 / phi, size=mean.shape))}


def infected(beta: ArrayLike, gamma: ArrayLike) -> np.ndarray:
    """The solution I(t) at t = 1 ... 14 days: `(n,), (n,) -> (n, 14)`.

    RK4 on all rows at once, in log S and log I: exact while growth is exponential, and positive.
    """
    beta, gamma = np.asarray(beta, np.float64), np.asarray(gamma, np.float64)
    contacts, step = beta / _BOYS, 1 / _STEPS_PER_DAY

    def slope(log_state: np.ndarray) -> np.ndarray:
        susceptible, ill = np.exp(log_state)
        return np.stack([-contacts * ill, contacts * susceptible - gamma])

    state = np.stack([np.full_like(contacts, math.log(_BOYS - 1)), np.zeros_like(contacts)])
    days = []
    for _ in IN_BED:
        for _ in range(_STEPS_PER_DAY):
            k1 = slope(state)
            k2 = slope(state + step / 2 * k1)
            k3 = slope(state + step / 2 * k2)
            k4 = slope(state + step * k3)
            state = state + step / 6 * (k1 + 2 * (k2 + k3) + k4)
        days.append(state[1])
    return np.exp(np.stack(days, axis=-1))


def log_prior(beta: ArrayLike, gamma: ArrayLike, phi_inv: ArrayLike) -> np.ndarray:
    """Log density of the prior, `(n,)`; minus infinity where a parameter is negative."""
    total = math.log(_RATE) - _RATE * np.asarray(phi_inv, np.float64)
    for value, (loc, scale) in zip((beta, gamma), _PRIORS.values(), strict=True):
        mass = (1 + math.erf(loc / scale / math.sqrt(2))) / 2
        z = (np.asarray(value, np.float64) - loc) / scale
        total = total - z**2 / 2 - math.log(scale * mass * math.sqrt(2 * math.pi))
    return np.where(np.minimum(np.minimum(beta, gamma), phi_inv) >= 0, total, -np.inf)


def log_likelihood(beta: ArrayLike, gamma: ArrayLike, phi_inv: ArrayLike, in_bed: ArrayLike = IN_BED) -> np.ndarray:
    """Log probability of the counts `in_bed` `(14,)` for each row of parameters: `(n,)`.

    Written as sum_j<k log((1 + j phi) / (j + 1)) + k log mu - (k + 1 / phi) log(1 + phi mu), which stays
    exact down to the Poisson limit, where the usual difference of log-gammas loses all its digits.

    Raises:
        DataError: a parameter that is negative or not finite.
    """
    phi = np.maximum(_valid("phi_inv", phi_inv), _POISSON)[:, None]
    mean = np.maximum(infected(_valid("beta", beta), _valid("gamma", gamma)), np.finfo(float).tiny)
    counts = np.asarray(in_bed)
    below = np.arange(counts.max())
    terms = np.cumsum(np.log1p(phi * below) - np.log(below + 1), axis=1)
    terms = np.concatenate([np.zeros_like(phi), terms], axis=1)[:, counts]
    return (terms + counts * np.log(mean) - (counts + 1 / phi) * np.log1p(phi * mean)).sum(axis=1)


def _positive_normal(loc: float, scale: float, n: int, rng: np.random.Generator) -> np.ndarray:
    draws = rng.normal(loc, scale, n)
    while (negative := draws <= 0).any():
        draws[negative] = rng.normal(loc, scale, int(negative.sum()))
    return draws


def _valid(name: str, values: ArrayLike) -> np.ndarray:
    array = np.atleast_1d(np.asarray(values, np.float64))
    bad = ~(np.isfinite(array) & (array >= 0))
    if bad.any():
        raise DataError(
            f"{name} must be finite and not negative; {bad.sum()} of {len(array)} values are not, "
            f"the first {array[bad][0]}.\nGive draws of the prior, or of a posterior bounded below by 0.",
            variable=name,
        )
    return array
