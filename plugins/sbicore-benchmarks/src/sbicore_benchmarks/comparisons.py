"""Scores of other tools on the same tasks, as published, to stand beside one's own."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

__all__ = ["PUBLISHED", "Scores"]


@frozen
class Scores:
    """Mean C2ST over observations, by task."""

    label: str
    simulations: int
    tasks: Mapping[str, float]
    mean: float | None = None
    """Over all ten tasks, where the source states only this."""


PUBLISHED = (
    Scores(
        "BayesFlow flow matching",
        32_000_000,
        {
            "bernoulli_glm": 0.511,
            "bernoulli_glm_raw": 0.512,
            "gaussian_linear": 0.503,
            "gaussian_linear_uniform": 0.505,
            "gaussian_mixture": 0.544,
            "lotka_volterra": 0.707,
            "sir": 0.553,
            "slcp": 0.641,
            "slcp_distractors": 0.673,
            "two_moons": 0.521,
        },
    ),
    Scores(
        "BayesFlow, best of 222",
        32_000_000,
        {
            "bernoulli_glm": 0.511,
            "bernoulli_glm_raw": 0.512,
            "gaussian_linear": 0.504,
            "gaussian_linear_uniform": 0.505,
            "gaussian_mixture": 0.526,
            "lotka_volterra": 0.702,
            "sir": 0.534,
            "slcp": 0.627,
            "slcp_distractors": 0.648,
            "two_moons": 0.508,
        },
    ),
    Scores(
        "GenSBI",
        30_000,
        {
            "two_moons": 0.51,
            "gaussian_linear": 0.50,
            "gaussian_mixture": 0.50,
            "slcp": 0.57,
            "bernoulli_glm": 0.58,
        },
    ),
    Scores("sbibm paper, NPE", 100_000, {}, mean=0.654),
    Scores("sbibm paper, SNPE", 100_000, {}, mean=0.615),
)
"""The BayesFlow rows are one table of 222 pairs of model and sampler; the second is the pair with the best mean over
the tasks (EDM diffusion, averaged weights, a stochastic sampler). Their sir and lotka_volterra are other simulators
than the published tasks. The paper is arXiv:2101.04653; it states its means over the ten tasks."""
