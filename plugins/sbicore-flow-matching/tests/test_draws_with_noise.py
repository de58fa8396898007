"""Stochastic draws of flow matching, whose field tells the score where noise is normal given the data."""

from __future__ import annotations

import pytest
import torch
from sbicore_flow_matching import FlowMatching

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

MEAN, DEVIATION = 0.7, 0.4


def exact(**hyperparameters):
    """A network whose field is that of a normal posterior."""
    network = FlowMatching(subnet_kwargs={"widths": [4]}, **hyperparameters).build(Shapes(target=(1,)))

    def velocity(x, t, conditions, strength, given):
        t = t.reshape(-1, *[1] * (x.ndim - 1))
        variance = (1 - t).square() * DEVIATION**2 + t.square()
        apart = (x - (1 - t) * MEAN) / variance
        return t * apart - MEAN - (1 - t) * DEVIATION**2 * apart

    network.velocity = velocity
    return network


@pytest.mark.parametrize("method", ["shark", "two_step_adaptive", "dpm_solver_2m", "predictor_corrector"])
def test_draws_have_the_known_mean_and_deviation(method):
    """20,000 draws: four standard errors of the mean are 0.028 deviations, of the deviation 2 %; steps are coarse."""
    options = {"steps": 60} if method == "dpm_solver_2m" else {}
    generator = torch.Generator().manual_seed(1)
    draws = exact().sample((1, 20_000), None, generator=generator, method=method, **options)
    assert float(draws.mean()) == pytest.approx(MEAN, abs=0.035 * DEVIATION)
    assert float(draws.std()) == pytest.approx(DEVIATION, rel=0.04)


@pytest.mark.parametrize("change", [{"use_optimal_transport": True}, {"base_distribution": "student_t"}])
def test_noise_that_depends_on_the_data_has_no_score(change):
    with pytest.raises(ConfigError, match="'shark' needs the score"):
        exact(**change).sample((1, 5), None, method="shark")
