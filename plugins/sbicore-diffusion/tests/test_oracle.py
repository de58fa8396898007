"""Every prediction, schedule and loss with the exact optimum of a known normal posterior in place of a network.

x ~ N(m, S) is known, so the best guess of x from `z = alpha x + sigma e` is `m + K (z - alpha m)` with
`K = alpha S (alpha² S + sigma² I)^-1`, and what the network would have to say follows from it.
"""

from __future__ import annotations

import itertools

import pytest
import sbicore_diffusion.module
import torch
from sbicore_diffusion import DiffusionModel
from sbicore_diffusion.config import PREDICTIONS
from sbicore_diffusion.predictions import ERRORS, PREDICTED
from torch import nn
from torch.distributions import MultivariateNormal

from sbicore.errors import ConfigError
from sbicore.shapes import Shapes

MEAN = torch.tensor([0.6, -0.3], dtype=torch.float64)
COVARIANCE = torch.tensor([[0.3, 0.12], [0.12, 0.15]], dtype=torch.float64)
SCHEDULES = {
    "edm": {"name": "edm"},
    "exploding": {"name": "edm", "variance_type": "exploding"},
    "other data": {"name": "edm", "sigma_data": 0.5},
    "cosine": {"name": "cosine"},
    "shifted": {"name": "cosine", "shift": 0.5, "weighting": "likelihood_weighting"},
}
CASES = list(itertools.product(PREDICTIONS, SCHEDULES))
LOSSES = ("noise", "velocity", "F")


class Oracle(nn.Module):
    """The optimum of a module's own parametrisation."""

    def __init__(self, owner):
        super().__init__()
        self.owner = [owner]
        self.weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))

    def forward(self, x, t, conditions=None, **drops):
        owner = self.owner[0]
        point = owner._point(2 * ((1 - t).log() - t.log()))
        z = x / point.scale
        alpha, sigma = point.alpha, point.sigma
        variance = alpha[..., None] ** 2 * COVARIANCE + sigma[..., None] ** 2 * torch.eye(2, dtype=z.dtype)
        apart = torch.linalg.solve(variance, (z - alpha * MEAN)[..., None])
        signal = MEAN + alpha * (COVARIANCE @ apart)[..., 0]
        noise = sigma * apart[..., 0]
        if owner.potential:
            quadratic = ((z - alpha * MEAN)[..., None] * apart).sum((-2, -1)) / 2
            return (sigma * point.scale)[..., 0] * quadratic
        estimate = point.estimate
        by_noise = estimate.e_p.abs() > estimate.x_p.abs()
        return torch.where(
            by_noise, (noise - estimate.e_z * z) / estimate.e_p, (signal - estimate.x_z * z) / estimate.x_p
        )


def oracle(**hyperparameters):
    network = DiffusionModel(subnet_kwargs={"widths": [4]}, **hyperparameters).build(Shapes(target=(2,))).double()
    found = Oracle(network)
    network.backbone.forward = lambda x, t, conditions=None, **drops: found(x, t)
    return network


def normal(count):
    """Values of the posterior, the same for every case."""
    noise = torch.randn((count, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    return MEAN + noise @ torch.linalg.cholesky(COVARIANCE).T


def weightings(schedule):
    return ("noise",) if "weighting" in schedule else LOSSES


@pytest.mark.parametrize(("prediction", "schedule"), CASES)
def test_draws_and_densities_of_the_optimum_are_those_of_the_posterior(prediction, schedule):
    """20,000 draws: four standard errors of a mean are 0.028 deviations, of a covariance 0.04."""
    network = oracle(prediction_type=prediction, noise_schedule=SCHEDULES[schedule])
    with torch.no_grad():
        draws = network.sample((1, 20_000), None, generator=torch.Generator().manual_seed(1), rtol=1e-4, atol=1e-4)[0]
        scale = COVARIANCE.diagonal().sqrt()
        assert ((draws.mean(0) - MEAN) / scale).abs().max() < 0.035
        assert ((draws.T.cov() - COVARIANCE) / (scale[:, None] * scale)).abs().max() < 0.045
        at = normal(50)[None]
        gap = network.log_prob(at, None, rtol=1e-6, atol=1e-6) - MultivariateNormal(MEAN, COVARIANCE).log_prob(at)
    assert gap.abs().max() < 0.03


@pytest.mark.parametrize(("prediction", "schedule"), CASES)
def test_the_optimum_is_where_every_loss_is_stationary(prediction, schedule):
    """Moving the output by a little in any direction changes the loss by no more than chance, and adds the square."""
    for loss in weightings(SCHEDULES[schedule]):
        network = oracle(prediction_type=prediction, noise_schedule=SCHEDULES[schedule], loss_type=loss)
        targets = normal(20_000)
        whole = network._output

        def moved(by, whole=whole):
            return lambda *arguments: whole(*arguments) + by

        losses = []
        for by in (-0.01, 0.0, 0.01):
            network._output = moved(by)
            generator = torch.Generator().manual_seed(2)
            losses.append(network.loss(targets, None, generator=generator).detach())
        slope, bend = (losses[2] - losses[0]) / 2, losses[2] + losses[0] - 2 * losses[1]
        assert float(slope.mean().abs()) < 5 * float(slope.std()) / 20_000**0.5 + 1e-9, (loss, float(slope.mean()))
        assert float(bend.mean()) > 0


def slopes(network, targets):
    """How the loss of each row changes with the output, at one noise."""
    by = torch.zeros(len(targets), 1, dtype=torch.float64, requires_grad=True)
    whole = network._output
    network._output = lambda *arguments: whole(*arguments) + by.repeat(2 if network.config.antithetic else 1, 1)
    losses = network.loss(targets, None, generator=torch.Generator().manual_seed(2))
    return losses.detach(), torch.autograd.grad(losses.sum(), by)[0]


def test_an_antithetic_loss_is_the_mean_for_a_noise_and_its_opposite(monkeypatch):
    targets, randn = normal(2_000), sbicore_diffusion.module.randn
    both, _ = slopes(oracle(antithetic=True), targets)
    one, _ = slopes(oracle(), targets)
    monkeypatch.setattr(sbicore_diffusion.module, "randn", lambda *arguments: -randn(*arguments))
    other, _ = slopes(oracle(), targets)
    torch.testing.assert_close(both, (one + other) / 2)


@pytest.mark.parametrize(("log_snr", "share"), [(8.0, 0.1), (4.0, 0.4)])
def test_opposite_noises_cancel_where_there_is_little(log_snr, share):
    """Its own noise makes most of a row's slope; at sigma = 0.02 and 0.13 of the data's deviation."""
    found = []
    for antithetic in (False, True):
        network = oracle(antithetic=antithetic)
        network.schedule.log_snr = lambda t, training: torch.full_like(t, log_snr)
        found.append(float(slopes(network, normal(2_000))[1].std()))
    assert found[1] < share * found[0]


@pytest.mark.parametrize("prediction", LOSSES)
def test_a_loss_on_what_is_predicted_is_the_squared_error_of_the_output(prediction):
    alpha, sigma = (scale[:, None] for scale in oracle().schedule.alpha_sigma(torch.linspace(-6, 10, 9).double()))
    x, e, p = torch.randn((3, 9, 2), dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    z = alpha * x + sigma * e
    estimate = PREDICTED[prediction](alpha, sigma, 0.7)
    signal, noise = estimate.both(z, p)
    right = {"noise": e, "velocity": alpha * e - sigma * x, "F": (x - estimate.x_z * z) / estimate.x_p}[prediction]
    torch.testing.assert_close(ERRORS[prediction](signal - x, noise - e, alpha, sigma, 0.7), p - right)


SAMPLERS = {
    "euler_maruyama": {},
    "sea": {},
    "shark": {},
    "two_step_adaptive": {"rtol": 0.02, "atol": 0.005},
    "dpm_solver_2m": {"steps": 60},
    "edm_heun": {"steps": 40},
    "langevin": {},
    "predictor_corrector": {},
}


@pytest.mark.parametrize("method", SAMPLERS)
@pytest.mark.parametrize("schedule", ["edm", "exploding", "cosine"])
def test_every_sampler_draws_the_posterior_from_the_optimum(method, schedule):
    """20,000 draws in four rows: four standard errors of a mean are 0.028 deviations, of a covariance 0.04."""
    network = oracle(noise_schedule=SCHEDULES[schedule])
    generators = [torch.Generator().manual_seed(i) for i in range(4)]
    report = {}
    with torch.no_grad():
        draws = network.sample((4, 5_000), None, generator=generators, report=report, method=method, **SAMPLERS[method])
    draws, scale = draws.flatten(0, 1), COVARIANCE.diagonal().sqrt()
    assert ((draws.mean(0) - MEAN) / scale).abs().max() < 0.035
    assert ((draws.T.cov() - COVARIANCE) / (scale[:, None] * scale)).abs().max() < 0.07
    assert (report["evaluations"] >= report["steps"]).all()


@pytest.mark.parametrize("method", SAMPLERS)
def test_a_row_of_stochastic_draws_is_the_same_in_any_company(method):
    network = oracle()

    def draws(rows):
        generators = [torch.Generator().manual_seed(row) for row in rows]
        with torch.no_grad():
            return network.sample((len(rows), 50), None, generator=generators, method=method, **SAMPLERS[method])

    torch.testing.assert_close(draws([1, 2, 3])[2:], draws([3]))


def test_densities_of_a_network_that_draws_with_noise_say_once_what_solves_them():
    network = oracle(integrate_kwargs={"method": "euler_maruyama", "steps": 20})
    with pytest.warns(UserWarning, match="'euler_maruyama' of integrate_kwargs only draws; densities take 'dopri5'"):
        network.log_prob(MEAN.expand(1, 3, 2), None)
    network.log_prob(MEAN.expand(1, 3, 2), None)
    with pytest.raises(ConfigError, match="'shark' draws, and does not solve"):
        network.log_prob(MEAN.expand(1, 3, 2), None, method="shark")


def test_a_denoising_method_has_its_own_spacing():
    with pytest.raises(ConfigError, match="'edm_heun' has its own spacing"):
        oracle().sample((1, 5), None, method="edm_heun", spacing=2.0)
