"""What a trained inference network must know, on a problem whose answer is known.

The problem is `GaussianTask`, whose two parameters have the correlation -0.6 given the data. A
network has 2,560 steps on a subnet of one hidden layer, and is asked about 100 observations.
Largest errors of several seeds: of the mean in posterior deviations, of which 400 draws make 0.04,
of the log deviation, of the correlation, and of the log density in nats.

| | mean | sd | correlation | nats |
|---|---|---|---|---|
| normal, denoising diffusion, flow matching of any base | 0.06 | 0.04 | 0.07 | 0.25 |
| consistency model of one evaluation (arXiv:2410.11081) | 0.07 | 0.03 | 0.04 | |
| the same, trained by discrete steps (arXiv:2310.14189) | 0.50 | 0.62 | 0.23 | |
| flow matching with data at the other end | 0.24 | 0.07 | 0.03 | 0.48 |
| the prior in place of the posterior | 1.42 | 0.87 | 0.58 | 1.7 |
| flow matching with the other sign of the velocity | 4.3 | 1.8 | 1.2 | 3.5 |

Networks with a density are held to `CLOSE`. Those without have `ROUGH` margins, wide enough for the
third row, which a short training on a small subnet cannot bring nearer: they tell a posterior from
the prior, and no more.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ._check import NotApplicable, only, require
from ._network_cases import on_subnet
from .toys import GaussianTask, TinySubnet

__all__ = ["CHECKS"]

WIDTH, ROWS, EPOCHS, BATCH, RATE = 64, 8_192, 40, 128, 3e-3
OBSERVATIONS, DRAWS = 100, 400
CLOSE = {"mean": 0.15, "sd": 0.15, "correlation": 0.2}
ROUGH = {"mean": 0.9, "sd": 0.8, "correlation": 0.45}
NATS = 0.5
CENTRES = ("mean", "median", "loc")

Errors = dict[str, float]


@only(lambda config: "sample" in config.capabilities)
def check_learns(config: Any) -> None:
    """Trained on a Gaussian problem, draws have the means, deviations and correlation of the exact posterior."""
    margins = CLOSE if "log_prob" in config.capabilities else ROUGH
    for name, error in draw_errors(config).items():
        found = f"the {name} of draws is off by {error:.2f}; sound networks stay below {margins[name]}"
        require(error < margins[name], found)


@only(lambda config: "log_prob" in config.capabilities)
def check_learns_density(config: Any) -> None:
    """Trained on a Gaussian problem, `log_prob` is near that of the exact posterior."""
    error = density_error(config)
    require(error < NATS, f"it is off by {error:.2f} nats on average; sound networks stay below {NATS}")


@only(lambda config: "estimate" in config.capabilities)
def check_learns_estimate(config: Any) -> None:
    """Trained on a Gaussian problem, means, medians and quantiles are near those of the exact posterior."""
    errors = estimate_errors(config)
    if not errors:
        raise NotApplicable(f"none of its statistics is called {', '.join(CENTRES)} or quantiles")
    for name, error in errors.items():
        require(
            error < CLOSE["mean"], f"{name} is off by {error:.2f} posterior deviations; the margin is {CLOSE['mean']}"
        )


def draw_errors(config: Any, seed: int = 1) -> Errors:
    """Errors of draws: of the mean in posterior deviations, of the log deviation, of the correlation."""
    task = GaussianTask()
    x = task.sample(OBSERVATIONS, seed=0)["x"]
    draws = _trained(config, seed).sample({"x": x}, DRAWS, seed=seed, progress=False)["theta"].astype(float)
    sd = np.sqrt(np.diag(task.covariance))
    correlation = np.mean([np.corrcoef(rows.T)[0, 1] for rows in draws])
    return {
        "mean": float(np.abs((draws.mean(1) - task.mean(x)) / sd).mean()),
        "sd": float(np.abs(np.log(draws.std(1).mean(0) / sd)).max()),
        "correlation": float(abs(correlation - task.covariance[0, 1] / sd.prod())),
    }


def density_error(config: Any, seed: int = 1) -> float:
    """Mean absolute error of the log density at parameters and data of new pairs, in nats."""
    task = GaussianTask()
    data = task.sample(OBSERVATIONS, seed=0)
    found = _trained(config, seed).log_prob(data, seed=seed, progress=False)
    return float(np.abs(found - task.log_prob(**data)).mean())


def estimate_errors(config: Any, seed: int = 1) -> Errors:
    """Errors by statistic in posterior deviations.

    A quantile of a Gaussian is its mean and a constant, so that its error is how much the
    difference from the mean varies from one observation to the next.
    """
    task = GaussianTask()
    x = task.sample(OBSERVATIONS, seed=0)["x"]
    sd, errors = np.sqrt(np.diag(task.covariance)), {}
    for rule, statistics in _trained(config, seed).estimate({"x": x}).items():
        for name, value in statistics.items():
            if name in CENTRES and value.shape == x.shape:
                errors[f"{rule}.{name}"] = float(np.abs((value - task.mean(x)) / sd).mean())
            elif name == "quantiles":
                gaps = (value - task.mean(x)[:, None]) / sd
                errors[f"{rule}.{name}"] = float(gaps.std(0).mean())
                require((np.diff(gaps.mean(0), axis=0) > 0).all(), f"{rule}.{name} do not increase")
    return errors


def _untrained(config: Any) -> Any:
    """Its approximator on a subnet of one hidden layer."""
    from .. import approximators

    return getattr(approximators, config.approximator)(
        on_subnet(config, TinySubnet(width=WIDTH)), inference_variables=["theta"], inference_conditions=["x"]
    )


@functools.lru_cache(maxsize=1)
def _trained(config: Any, seed: int) -> Any:
    """The same after 2,560 steps."""
    approximator = _untrained(config)
    approximator.fit(
        GaussianTask().sample(ROWS, seed=seed),
        epochs=EPOCHS,
        batch_size=BATCH,
        learning_rate=RATE,
        validation_fraction=0.0,
        compile="never",
        seed=seed,
        progress=False,
    )
    return approximator


CHECKS = (check_learns, check_learns_density, check_learns_estimate)
