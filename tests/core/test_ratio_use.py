"""Ratios with everything that goes around a network, saved and loaded, and what is refused."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal, Uniform

import sbicore
from sbicore.errors import ConfigError, DataError, NotBuiltError, SamplingError, SamplingWarning, ShapeError

FIT = {"epochs": 2, "batch_size": 50, "progress": False, "compile": "never", "seed": 1}
QUIET = {"progress": False}


def simulate(rows=300, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=rows)
    rate = rng.uniform(size=(rows, 2))
    x = theta[:, None] + rate + 0.3 * rng.normal(size=(rows, 2))
    return {"theta": theta, "rate": rate, "x": x, "series": np.repeat(x[:, None], 4, axis=1)}


def simulator(rng):
    theta = rng.normal()
    return {"theta": theta, "x": theta + rng.normal(size=2)}


def build(**arguments):
    given = {"inference_variables": ["theta"], "inference_conditions": ["x"], "subnet_kwargs": {"widths": [16]}}
    return sbicore.RatioApproximator(**{**given, **arguments})


@pytest.fixture(scope="module")
def trained():
    model = build()
    model.fit(simulate(), **FIT)
    return model


def test_it_goes_with_summaries_bounds_masks_and_several_variables(tmp_path):
    data = simulate()
    data["x"][5:9, 0] = np.nan
    model = build(
        inference_variables=["theta", "rate"],
        summary_variables=["series"],
        summary_network={"name": "deep_set"},
        missing="mask",
        bounds={"rate": (0.0, 1.0)},
        balanced=True,
        K=3,
    )
    model.fit(data, **FIT)
    observed = {name: data[name][:2] for name in ("x", "series")}
    draws = model.sample(observed, 7, seed=3, **QUIET)
    assert draws["theta"].shape == (2, 7) and draws["rate"].shape == (2, 7, 2)
    assert ((draws["rate"] > 0) & (draws["rate"] < 1)).all()
    ratios = model.log_ratio(data, **QUIET)
    assert ratios.shape == (300,) and np.isfinite(ratios).all()
    np.testing.assert_allclose(model.log_ratio(data, chunk_size=7, **QUIET), ratios, rtol=1e-4, atol=1e-5)
    outside = {**data, "rate": data["rate"] + 2}
    assert (model.log_ratio(outside, **QUIET) == -np.inf).all()
    prior = {"theta": Normal(0.0, 1.0), "rate": Independent(Uniform(torch.zeros(2), torch.ones(2)), 1)}
    pytest.importorskip("emcee")
    with pytest.warns(SamplingWarning, match="For 2 of 2 observations the warm-up is shorter than 3"):
        chain = model.sample(observed, 8, prior=prior, warmup=2, thin=1, walkers=8, candidates=50, seed=1, **QUIET)
    assert chain["rate"].shape == (2, 8, 2) and ((chain["rate"] > 0) & (chain["rate"] < 1)).all()
    model.save(tmp_path / "ratio.sbi")
    again = sbicore.load(tmp_path / "ratio.sbi")
    assert isinstance(again, sbicore.RatioApproximator) and again.config == model.config
    np.testing.assert_array_equal(again.log_ratio(data, **QUIET), ratios)
    np.testing.assert_array_equal(again.sample(observed, 7, seed=3, **QUIET)["theta"], draws["theta"])


def test_prior_draws_are_kept_or_made(trained):
    x = {"x": simulate()["x"][:1]}
    assert len(trained.kept) == 270  # of 300 rows, a tenth validates
    drawn = trained.sample(x, 400, seed=1, **QUIET)["theta"]
    kept = trained.to_user_space(trained.kept)["theta"].numpy()
    assert np.isin(drawn, kept).all()
    for prior in (simulator, {"theta": Normal(0.0, 1.0)}, Normal(0.0, 1.0), lambda rng: {"theta": rng.normal()}):
        options = {"prior": prior, "method": "importance", "candidates": 500, "seed": 1, **QUIET}
        found, report = trained.sample(x, 30, report=True, **options)
        assert found["theta"].shape == (1, 30) and not np.isin(found["theta"], kept).any()
        assert report.evaluations == pytest.approx(500 / 30)
        again = trained.sample(x, 30, **options)
        np.testing.assert_array_equal(again["theta"], found["theta"])
    fresh = build()
    fresh.fit(sbicore.make_simulator(simulator), **{**FIT, "num_batches_per_epoch": 2})
    assert len(fresh.kept) == 512 and fresh.sample(x, 2, **QUIET)["theta"].shape == (1, 2)


def test_a_low_effective_sample_size_is_told(trained):
    far = {"x": np.array([[9.0, 9.0]])}
    with torch.no_grad():
        sharp = build()
        sharp.fit(simulate(), **FIT)
        sharp.network.backbone.head.weight.mul_(1_000)
    with pytest.warns(SamplingWarning, match="worth fewer than 100, for number 0 .* of 270 candidates"):
        _, report = sharp.sample(far, 500, seed=1, report=True, **QUIET)
    assert 1 <= report.effective_sample_size[0] < 100


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"gamma": 0.0}, "gamma"),
        ({"gamma": float("inf")}, "must be finite"),
        ({"K": 0}, "must be >= 1"),
        ({"subnet": "time_mlp"}, "needs a time"),
        ({"inference_network": "flow_matching"}, "learnt by a classifier"),
        ({"inference_conditions": None}, "compares parameters with an observation"),
    ],
)
def test_what_cannot_be_built(arguments, message):
    with pytest.raises(ConfigError, match=message):
        build(**arguments).fit(simulate(), **FIT)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (simulate(), {"batch_size": 5}, "A batch of 5 rows has not the K=5"),
        (simulate(), {"batch_size": 1}, "A batch of 1 row has not"),
        (simulate(20), {"validation_fraction": 0.2}, "A validation set of 4 rows"),
        ({**simulate(), "sample_weight": np.ones(300)}, {}, "weights with contrastive parameters"),
    ],
)
def test_data_that_cannot_be_contrasted(data, options, message, recwarn):
    model = build()
    with pytest.raises(ConfigError, match=message):
        model.fit(data, **{**FIT, **options})
    assert not model.is_built


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"method": "mcms"}, ConfigError, "did you mean 'mcmc'"),
        ({"candidates": 0}, ConfigError, "candidates"),
        ({"walkers": 10}, ConfigError, "walkers"),
        ({"num_samples": 0}, ConfigError, "num_samples"),
        ({"prior": 3.0}, ConfigError, "cannot be drawn from: float"),
        ({"prior": {"tehta": Normal(0.0, 1.0)}, "method": "importance"}, ConfigError, "prior names tehta"),
        (
            {"prior": lambda rng: {"tehta": rng.normal()}},
            DataError,
            "lack theta: 'tehta' is given where 'theta' is needed",
        ),
        ({"prior": lambda rng: {"theta": np.nan}}, DataError, "not finite"),
        (
            {"prior": lambda rng: {"theta": rng.normal(size=2)}},
            ShapeError,
            r"one of 'theta' has shape \(2,\), and \(\)",
        ),
        ({"prior": Normal(torch.zeros(1), 1.0)}, ShapeError, "Give a prior whose draws have that"),
        ({"method": "mcmc"}, ConfigError, "needs the density of the prior"),
        ({"method": "mcmc", "prior": simulator}, ConfigError, "has no log_prob"),
        ({"method": "mcmc", "prior": Normal(0.0, 1.0), "walkers": 5}, ConfigError, "an even number of at least 4"),
        ({"method": "mcmc", "prior": Normal(0.0, 1.0), "walker": 6}, ConfigError, "walker"),
    ],
)
def test_draws_that_cannot_be_had(trained, options, error, message):
    if options.get("method") == "mcmc":
        pytest.importorskip("emcee")
    with pytest.raises(error, match=message):
        trained.sample({"x": simulate()["x"][:1]}, **{**QUIET, "num_samples": 5, **options})


def test_a_prior_that_is_nan(trained):
    pytest.importorskip("emcee")

    class Broken(Normal):
        def log_prob(self, value):
            return super().log_prob(value) * torch.nan

    with pytest.raises(ConfigError, match="log_prob is NaN"):
        trained.sample({"x": simulate()["x"][:1]}, 8, prior=Broken(0.0, 1.0), method="mcmc", warmup=1, **QUIET)


def test_a_prior_that_ends_without_bounds(trained, capsys):
    """Distributions of torch tell where they end; an error in the chain is told once, and not by emcee."""
    pytest.importorskip("emcee")
    asked = {"num_samples": 40, "seed": 1, "method": "mcmc", "warmup": 20, **QUIET}
    x = {"x": simulate()["x"][:1]}
    wide = torch.distributions.Gamma(2.0, 0.1)
    draws = trained.sample(x, prior=wide, **asked)
    assert all((value > 0).all() for value in draws.values())

    class Cut(Normal):
        def log_prob(self, value):
            return torch.where(value > -1.0, super().log_prob(value), torch.nan)

    with pytest.raises(ConfigError, match="NaN for parameters that the chain visits"):
        trained.sample(x, prior=Cut(0.0, 0.3), **{**asked, "warmup": 200})
    assert not capsys.readouterr().out


def test_what_a_ratio_does_not_know(trained, monkeypatch):
    data = simulate()
    with pytest.raises(ConfigError, match=r"log_ratio\(data\) \+ prior.log_prob"):
        trained.log_prob(data)
    with pytest.raises(NotBuiltError, match="needs a trained"):
        build().log_ratio(data)
    with pytest.raises(DataError, match="'theta' has NaN"):
        trained.log_ratio({**data, "theta": data["theta"] * np.nan})
    with pytest.raises(DataError, match="'x' is not finite"):
        trained.log_ratio({**data, "x": data["x"] * np.nan})
    with pytest.raises(DataError, match="lack x"):
        trained.log_ratio({"theta": data["theta"]})
    with pytest.raises(DataError, match="conditions are missing"):
        trained.sample(None, 5)
    monkeypatch.setitem(sys.modules, "emcee", None)
    with pytest.raises(ConfigError, match=r"pip install 'sbicore\[mcmc\]'"):
        trained.sample({"x": data["x"][:1]}, 5, method="mcmc", prior=Normal(0.0, 1.0))


def test_weights_that_are_not_finite(trained):
    model = build()
    model.fit(simulate(), **FIT)
    with torch.no_grad():
        model.network.backbone.head.weight.fill_(torch.nan)
    with pytest.raises(SamplingError, match="ratios of observation 0 are not finite"):
        model.sample({"x": simulate()["x"][:1]}, 5, **QUIET)


def test_a_chain_takes_the_prior_into_the_space_of_the_network(monkeypatch):
    """Where the observation says nothing, draws are those of the prior, Gamma(2): log theta has mean 0.4228, sd 0.8031.

    Four standard errors of 2,000 draws are 0.07 for the mean and 0.08 for the deviation. Without the volume of the
    logarithm in the target the mean would be that of Gamma(1), -0.577.
    """
    pytest.importorskip("emcee")
    rng = np.random.default_rng(0)
    theta = rng.gamma(2.0, size=400)
    model = build(adapter=sbicore.Adapter().log("theta"))
    model.fit({"theta": theta, "x": rng.normal(size=(400, 2))}, **FIT)
    monkeypatch.setattr(model.network, "log_ratio", lambda z, conditions: torch.zeros(z.shape[:-1]))
    prior = torch.distributions.Gamma(2.0, 1.0)
    draws = model.sample({"x": np.zeros(2)}, 2_000, prior=prior, method="mcmc", seed=1, **QUIET)["theta"]
    assert abs(np.log(draws).mean() - 0.4228) < 0.07
    assert abs(np.log(draws).std() - 0.8031) < 0.08
