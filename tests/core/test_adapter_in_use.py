"""Adapters inside an approximator: saved and loaded, bounds kept in float32, and what is told of bad rows and roles."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import ConfigError, DataError, DataWarning, ShapeError

ROLES = {"inference_variables": ["theta"], "inference_conditions": ["x"]}
QUIET = {"epochs": 1, "seed": 1, "progress": False, "compile": "never"}


def made(rows=300):
    rng = np.random.default_rng(1)
    factor = np.tril(rng.normal(size=(rows, 2, 2))) + 2 * np.eye(2)
    reading = rng.normal(size=(rows, 3))
    reading[rng.uniform(size=reading.shape) < 0.2] = np.nan
    return {
        "noise": factor @ factor.transpose(0, 2, 1),
        "mixture": rng.dirichlet([1, 2, 3], size=rows),
        "level": rng.uniform(0, 0.1, size=rows),
        "corr": np.full((rows, 2, 2), 0.5) + 0.5 * np.eye(2),
        "site": rng.choice([3, 7, 12], size=rows),
        "reading": reading,
    }


def full():
    return (
        sbicore.Adapter()
        .as_covariance_matrix("noise", diag_kwargs={"method": "exp"})
        .as_simplex("mixture", method="stick")
        .constrain("level", lower=0, upper=0.1, inclusive="none")
        .apply("level", "mine_for_the_adapter:forth", "mine_for_the_adapter:back", elementwise=True)
        .concatenate(["noise", "mixture", "level"], into="inference_variables")
        .one_hot("site", categories=[3, 7, 12])
        .nan_to_num("reading", return_mask=True)
        .split("reading", ["first", "others"], [1])
        .as_set("first")
        .squeeze("first", axis=0)
        .take("others", [1, 0])
        .concatenate(["site", "first", "others", "mask_reading"], into="inference_conditions")
        .drop("corr")
    )


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "mine_for_the_adapter.py").write_text("def forth(x): return 2 * x\ndef back(y): return y / 2\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mine_for_the_adapter", raising=False)
    return tmp_path / "mine_for_the_adapter.py"


def test_every_kind_of_step_is_saved_with_the_artifact(mine, tmp_path):
    model = sbicore.build("coupling_flow", adapter=full())
    data = made()
    model.fit(data, **QUIET)
    observed = {"site": [7, 12], "reading": [[0.1, np.nan, 0.2], [np.nan, 1.0, 2.0]]}
    draws = model.sample(observed, 50, seed=2, progress=False)
    assert {name: value.shape[2:] for name, value in draws.items()} == {"noise": (2, 2), "mixture": (3,), "level": ()}
    assert np.linalg.eigvalsh(draws["noise"]).min() > 0
    np.testing.assert_allclose(draws["mixture"].sum(-1), 1, rtol=1e-5)
    assert ((draws["level"] > 0) & (draws["level"].astype(float) < 0.1)).all()
    density = model.log_prob(data, progress=False)
    assert np.isfinite(density).all()
    model.save(tmp_path / "m.sbi")
    again = sbicore.load(tmp_path / "m.sbi")
    for name, value in again.sample(observed, 50, seed=2, progress=False).items():
        np.testing.assert_array_equal(value, draws[name])
    np.testing.assert_array_equal(again.log_prob(data, progress=False), density)

    mine.write_text("def forth(x): return 2 * x\n")
    del sys.modules["mine_for_the_adapter"]
    with pytest.raises(ConfigError, match="cannot import 'mine_for_the_adapter:back'"):
        sbicore.load(tmp_path / "m.sbi")


def test_density_has_the_volume_of_the_matrices(mine):
    data = {"noise": made()["noise"]}
    plain = sbicore.Adapter().as_covariance_matrix("noise").rename("noise", "inference_variables")
    model = sbicore.build("coupling_flow", adapter=plain)
    model.fit(data, **QUIET)
    bound = plain.bind({"noise": (2, 2)})
    y, log_dets = bound.log_det({"noise": torch.as_tensor(data["noise"])})
    free = sbicore.build("coupling_flow", adapter=sbicore.Adapter().rename("y", "inference_variables"))
    free.fit({"y": y["inference_variables"].numpy()}, **QUIET)
    expected = free.log_prob({"y": y["inference_variables"].numpy()}, progress=False)
    np.testing.assert_allclose(
        model.log_prob(data, progress=False), expected + log_dets["inference_variables"].numpy(), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("by_adapter", [False, True])
def test_draws_in_float32_stay_inside_bounds_it_cannot_hold(by_adapter):
    rng = np.random.default_rng(3)
    low, high = 0.7, np.array([0.9, 1.1])
    theta = low + (high - low) * (rng.uniform(size=(400, 2)) > 0.5)
    how = (
        {"adapter": sbicore.Adapter().constrain("theta", low, high)}
        if by_adapter
        else {"bounds": {"theta": (low, high)}}
    )
    model = sbicore.build("coupling_flow", inference_variables=["theta"], **how)
    model.fit({"theta": theta}, **QUIET)
    draws = model.sample(num_samples=4000, progress=False)["theta"].astype(float)
    assert (draws >= low).all()
    assert (draws <= high).all()
    z = torch.full((2, 2), 60.0) * torch.tensor([[1.0], [-1.0]])
    ends = {name: value.double().numpy() for name, value in model.to_user_space(z).items()}["theta"]
    assert ((ends >= low) & (ends <= high)).all()


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        (
            sbicore.Adapter().log("level").drop("theta"),
            r"adapter step 2 \(drop\) leaves no 'theta', which inf",
        ),
        (sbicore.Adapter().keep(["level"]), r"adapter step 1 \(keep\) leaves no 'theta'"),
        (sbicore.Adapter().drop("level"), r"step 1 \(drop\) leaves no 'level', which inference_conditions needs"),
        (sbicore.Adapter().rename("theta", "t"), r"as they are after the adapter: t, level"),
        (sbicore.Adapter().take("theta", [0]), r"step 1 \(take\) cannot bring back what it leaves out of 'theta'"),
        (sbicore.Adapter().log("thta"), r"adapter step 1 \(log\) needs 'thta'; did you mean 'theta'\?"),
        (sbicore.Adapter().apply("theta", "abs"), r"step 1 \(apply\) cannot undo 'abs' of 'theta'"),
    ],
)
@pytest.mark.parametrize("bounds", [None, {"theta": (-9, 9)}])
def test_a_step_that_leaves_a_role_without_its_variable_is_named(adapter, message, bounds):
    model = sbicore.build(
        "coupling_flow",
        adapter=adapter,
        bounds=bounds,
        inference_variables=["theta"],
        inference_conditions=["level"],
    )
    data = {"theta": np.random.default_rng(1).normal(size=(40, 2)), "level": np.linspace(1, 2, 40)}
    with pytest.raises(DataError, match=message) as caught:
        model.fit(data, **QUIET)
    assert len(str(caught.value).split("\n")) <= 3


def test_rows_outside_are_counted_dropped_and_told():
    data = made(1000)
    data["noise"][:3] = np.array([[1, 2], [2, 1]])
    data["noise"][3] = np.array([[1, 0.2], [0.1, 1]])
    data["mixture"][5] *= 1.5
    data["level"][8:10] = 0.2
    data["level"][10] = np.nan
    adapter = sbicore.Adapter().as_simplex("mixture").as_covariance_matrix("noise")
    model = sbicore.build(
        "coupling_flow", adapter=adapter, bounds={"level": (0, 0.1)}, inference_variables=["noise", "mixture", "level"]
    )
    with pytest.warns(DataWarning) as told:
        model.fit(data, batch_size=64, **QUIET)
    message = next(str(warning.message) for warning in told if "dropped" in str(warning.message))
    assert "8 of 1000 rows dropped" in message
    assert "level: 1" in message
    assert "'level' outside the bounds: 2" in message
    assert "'mixture' outside the domain of adapter step 1 (as_simplex): 1" in message
    assert "'noise' outside the domain of adapter step 2 (as_covariance_matrix): 4" in message


def test_categories_never_seen_are_named_in_training_and_observations():
    data = {"theta": np.random.default_rng(1).normal(size=(200, 2)), "site": np.arange(200) % 3}
    adapter = sbicore.Adapter().one_hot("site", num_classes=3)
    model = sbicore.build(
        "coupling_flow", adapter=adapter, inference_variables=["theta"], inference_conditions=["site"]
    )
    with pytest.raises(DataError, match="does not know 5 of 'site'\nKnown categories: 0, 1, 2"):
        model.fit({**data, "site": np.where(data["site"] == 2, 5, 0)}, **QUIET)
    model.fit(data, batch_size=64, **QUIET)
    with pytest.raises(DataError, match=r"step 1 \(one_hot\) does not know 3 of 'site'"):
        model.sample({"site": [1, 3]}, 5)
    assert model.sample({"site": [1, 2]}, 5, progress=False)["theta"].shape == (2, 5, 2)


def test_a_category_has_no_density_and_a_ratio():
    rng = np.random.default_rng(0)
    data = {"theta": rng.integers(0, 3, 300), "x": rng.normal(size=300)}
    adapter = sbicore.Adapter().one_hot("theta", 3)
    model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, adapter=adapter, **ROLES)
    model.fit(data, **QUIET)
    assert set(np.unique(model.sample({"x": [0.0]}, 50, progress=False)["theta"])) <= {0, 1, 2}
    with pytest.raises(DataError, match=r"'theta' is a category \(adapter step 1 \(one_hot\)\) and has no density"):
        model.log_prob({"theta": [1], "x": [0.0]}, progress=False)
    ratio = sbicore.RatioApproximator(subnet_kwargs={"widths": [8]}, adapter=adapter, **ROLES)
    ratio.fit(data, **QUIET)
    assert np.isfinite(ratio.log_ratio({"theta": [0, 1, 2], "x": [0.0]}, progress=False)).all()


def test_a_wrong_inverse_is_named_before_training(mine):
    mine.write_text(
        "def forth(x): return 2 * x\ndef back(y): return y / 2\n"
        "def wrong(y): return y / 3\ndef flat(y): return y.flatten(1).sum(1)\n"
    )
    rng = np.random.default_rng(0)
    data = {"theta": rng.normal(size=(300, 2)), "x": rng.normal(size=300)}

    def fit(forward, inverse, theta=data["theta"]):
        adapter = sbicore.Adapter().scale("theta", 5.0).apply("theta", forward, inverse)
        model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, adapter=adapter, **ROLES)
        return model.fit({**data, "theta": theta}, **QUIET)

    forth = "mine_for_the_adapter:forth"
    fit(forth, "mine_for_the_adapter:back")
    fit("tanh", None, 0.5 * data["theta"].astype(np.float32))
    with pytest.raises(DataError, match=r"^adapter step 2 \(apply\) makes .* on the way back: '.*:wrong' does not"):
        fit(forth, "mine_for_the_adapter:wrong")
    with pytest.raises(DataError, match=r"adapter step 2 \(apply\).*'sqrt' does not undo 'square' of 'theta'"):
        fit("square", None)
    fit("square", None, np.abs(data["theta"]))
    with pytest.raises(ShapeError, match=r"adapter step 2 \(apply\) got .*flat"):
        fit(forth, "mine_for_the_adapter:flat")


@pytest.mark.parametrize("names", [["theta"], ["theta", "other"]])
def test_an_inferred_variable_stays_floating(names):
    data = {name: np.random.default_rng(0).normal(size=(100, 1)) for name in ("theta", "other", "x")}
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        adapter=sbicore.Adapter().map_dtype("theta", "int32"),
        inference_variables=names,
        inference_conditions=["x"],
    )
    with pytest.raises(
        DataError, match=r"adapter makes 'theta' int32, and it is inferred.*\n.*adapter\.one_hot"
    ) as caught:
        model.fit(data, **QUIET)
    assert caught.value.variable == "theta" and not model.is_built


def test_a_condition_may_be_whole():
    x = np.random.default_rng(0).normal(size=(100, 1))
    draws = []
    for adapter, given in ((sbicore.Adapter().map_dtype("x", "int32"), 5 * x), (None, np.trunc(5 * x))):
        model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, adapter=adapter, **ROLES)
        with pytest.warns(DataWarning, match="fewer than batch_size"):
            model.fit({"theta": x, "x": given}, **QUIET)
        draws.append(model.sample({"x": given[:5]}, 3, seed=1, progress=False)["theta"])
    np.testing.assert_allclose(*draws, rtol=1e-5)


def test_missing_values_are_drawn_as_such():
    rng = np.random.default_rng(0)
    theta = rng.normal(size=400)
    data = {"theta": np.where(rng.random(400) < 0.4, np.nan, theta), "x": theta + rng.normal(size=400)}
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [16]},
        adapter=sbicore.Adapter().nan_to_num("theta", return_mask=True),
        inference_variables=["theta", "mask_theta"],
        inference_conditions=["x"],
    )
    model.fit(data, epochs=5, seed=1, progress=False)
    draws = model.sample({"x": [0.5]}, 200, seed=1, progress=False)
    assert list(draws) == ["theta"]
    assert 0.1 < np.isnan(draws["theta"]).mean() < 0.7


def test_densities_behind_a_square_root_are_those_of_the_draws_above_zero():
    """The probability below 0.25, of 20,000 draws (five standard errors are 0.016) and by integration."""
    rng = np.random.default_rng(0)
    model = sbicore.build(
        "coupling_flow",
        depth=1,
        subnet_kwargs={"widths": [8]},
        adapter=sbicore.Adapter().sqrt("y"),
        inference_variables=["y"],
    )
    model.fit({"y": rng.normal(size=2_000) ** 2}, epochs=5, seed=1, progress=False)
    root = (np.arange(2_000) + 0.5) / 2_000 * 6
    mass = np.exp(model.log_prob({"y": root**2}, progress=False)) * 2 * root * 6 / 2_000
    draws = model.sample(num_samples=20_000, seed=1, progress=False)["y"]
    assert draws.min() == 0
    assert abs(((draws > 0) & (draws < 0.25)).mean() - mass[root < 0.5].sum()) < 0.016
    assert abs((draws > 0).mean() - mass.sum()) < 0.016
