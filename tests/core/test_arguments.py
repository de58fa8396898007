"""Arguments of the wrong type, in the wrong call, and values that are fixed: each has an answer of its own."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore.approximators._checks import require_options
from sbicore.config import frozen
from sbicore.errors import ArtifactError, ConfigError, DataError, DataWarning, UnknownHyperparameterError
from sbicore.fields import integer, number

QUIET = {"progress": False}


@frozen(kw_only=True)
class Options(sbicore.config.Options):
    """Of a network that draws in a few steps."""

    steps: int = integer(2, ge=1, doc="Evaluations.")
    rho: float = number(7.0, doc="Spacing.")


def build(**arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        **{"inference_variables": ["a", "b"], "inference_conditions": ["x"], **arguments},
    )


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    a = rng.uniform(0.2, 1.0, size=(300, 2))
    b = rng.uniform(0.2, 5000.0, size=300)
    return {"a": a, "b": b, "x": a + b[:, None] / 5000 + 0.1 * rng.normal(size=(300, 2))}


@pytest.fixture(scope="module")
def bounded(data):
    """Small values of b do not survive standardisation in float32 and back."""
    model = build(bounds={"a": (0.2, 1.0), "b": (0.2, 5000.0)}, out_of_bounds="reject", drop_target_prob=0.3)
    model.fit(data, epochs=3, batch_size=32, seed=1, **QUIET)
    return model


OBSERVED = {"x": [[1.0, 1.1], [1.3, 1.2]]}


@pytest.mark.parametrize("value", [0.2, 5000.0, np.float32(0.2), 0.7, 1.1])
def test_a_fixed_value_comes_back_as_given_even_on_its_bound(bounded, value):
    draws = bounded.sample(OBSERVED, 20, fixed={"b": value}, seed=1, **QUIET)
    assert (draws["b"] == np.float32(value)).all()
    assert draws["b"].shape == (2, 20)
    assert draws["a"].min() >= 0.2
    assert len(np.unique(draws["a"])) > 40


def test_fixed_entries_of_a_variable_leave_the_others_free(bounded):
    fixed = {"a": [[0.2, np.nan], [np.nan, 1.0]]}
    draws = bounded.sample(OBSERVED, 20, fixed=fixed, seed=1, **QUIET)["a"]
    assert (draws[0, :, 0] == np.float32(0.2)).all()
    assert (draws[1, :, 1] == 1.0).all()
    assert len(np.unique(draws[0, :, 1])) == len(np.unique(draws[1, :, 0])) == 20


def test_a_fixed_value_outside_its_bounds_is_still_refused(bounded):
    with pytest.raises(DataError, match="outside their bounds"):
        bounded.sample(OBSERVED, 3, fixed={"b": 0.1999}, **QUIET)


def test_a_fixed_value_far_from_the_training_is_told(data):
    model = build(drop_target_prob=0.3)
    model.fit(data, epochs=1, batch_size=32, seed=1, **QUIET)
    with pytest.warns(DataWarning, match=r"fixed: b far outside the training data in 1 of 2") as caught:
        model.sample(OBSERVED, 3, fixed={"b": [3000.0, 1e6]}, **QUIET)
    assert caught[0].filename == __file__


def test_an_infinite_fixed_value_is_called_so(bounded):
    with pytest.raises(DataError, match="fixed: 'b' has infinite values\nGive finite ones; NaN marks"):
        bounded.sample(OBSERVED, 3, fixed={"b": np.inf}, **QUIET)


def test_nothing_fixed_is_no_wish(bounded):
    some = [bounded.sample(OBSERVED, 3, fixed=fixed, seed=1, **QUIET)["a"] for fixed in ({}, None)]
    assert np.array_equal(*some)


@pytest.mark.parametrize("fixed", [np.array([0.0, 1.0]), np.array(0.0), 3.0, 0, "b", [("b", 0.5)]])
def test_fixed_is_a_dict(bounded, fixed):
    with pytest.raises(DataError, match="fixed must be a dict of arrays by name"):
        bounded.sample(OBSERVED, 3, fixed=fixed, **QUIET)


@pytest.mark.parametrize("name", ["num_samples", "fixed", "conditions"])
def test_log_prob_says_whose_argument_that_is(trained, name):
    words = f"log_prob has no argument '{name}'; sample has\nlog_prob takes data, seed"
    with pytest.raises(UnknownHyperparameterError, match=words):
        trained.log_prob({"theta": [0.0, 0.0], "x": [0.0, 0.0]}, **{name: 3}, **QUIET)


def test_sample_says_whose_argument_that_is(trained):
    with pytest.raises(UnknownHyperparameterError, match="sample has no argument 'data'; log_prob has"):
        trained.sample(data={"x": [0.0, 0.0]}, **QUIET)


def test_options_of_the_network_are_told_and_not_those_of_a_ratio():
    with pytest.raises(UnknownHyperparameterError) as raised:
        require_options("sample", Options, {"method": "dopri5"})
    assert str(raised.value).startswith("sample has no argument 'method'\nIt takes conditions, num_samples")
    assert "chunk_size, steps, rho." in str(raised.value)


def test_near_misses_are_sought_in_the_same_call(trained):
    with pytest.raises(UnknownHyperparameterError, match="did you mean 'num_samples'"):
        trained.sample({"x": [0.0, 0.0]}, num_sample=3)
    with pytest.raises(UnknownHyperparameterError) as raised:
        trained.log_prob({"theta": [0.0, 0.0], "x": [0.0, 0.0]}, num_sample=3)
    assert "num_samples" not in str(raised.value)


@pytest.mark.parametrize("count", [np.array([3]), np.array([3, 4]), np.array(3.0), [3], None])
def test_a_count_is_one_whole_number(trained, count):
    with pytest.raises(ConfigError, match="num_samples must be a whole number of at least 1"):
        trained.sample({"x": [0.0, 0.0]}, count, **QUIET)


@pytest.mark.parametrize("count", [np.int64(3), np.array(3)])
def test_whole_numbers_of_numpy_are_counts(trained, count):
    assert trained.sample({"x": [0.0, 0.0]}, count, **QUIET)["theta"].shape == (1, 3, 2)


@pytest.mark.parametrize("pair", [("a", 1), ({}, 1), (1j, 2), ("0", "1"), ([1, [2, 3]], 4), (0, object()), ([None], 1)])
def test_bounds_are_real_numbers(pair):
    with pytest.raises(ConfigError, match="bounds of 'a' must be real numbers"):
        build(bounds={"a": pair})


def test_both_bounds_have_shapes_that_go_together():
    with pytest.raises(ConfigError, match=r"bounds of 'a': shapes \(2,\) and \(3,\) do not go together"):
        build(bounds={"a": ([0, 0], [1, 1, 1])})


@pytest.mark.parametrize("role", ["inference_variables", "inference_conditions", "summary_variables"])
@pytest.mark.parametrize("names", [3, [3], [], 2.5])
def test_roles_take_names(role, names):
    with pytest.raises(ConfigError, match="a role takes a name or a list of names"):
        build(**{role: names})


@pytest.mark.parametrize("roles", [3, 2.5])
def test_standardize_takes_roles(roles):
    with pytest.raises(ConfigError, match="standardize takes 'all', None, a role or a list of roles"):
        build(standardize=roles)


@pytest.mark.parametrize("path", [None, 3, b"model.sbi"])
def test_an_artifact_has_a_path(trained, path):
    with pytest.raises(ArtifactError, match="An artifact has a path"):
        trained.save(path)
    with pytest.raises(ArtifactError, match="An artifact has a path"):
        sbicore.load(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: sbicore.RatioApproximator(gama=3), "RatioApproximator has no argument 'gama'; did you mean 'gamma'"),
        (
            lambda: sbicore.ModelComparisonApproximator(num_models=3),
            "has no argument 'num_models'\nIt takes inference_",
        ),
        (
            lambda: sbicore.ContinuousApproximator("flow_matching", bonds={}),
            "ContinuousApproximator has no argument 'bonds'; did you mean 'bounds'",
        ),
        (
            lambda: sbicore.BasicWorkflow(inference_netwrk="flow_matching"),
            "BasicWorkflow has no argument 'inference_netwrk'; did you mean 'inference_network'",
        ),
        (
            lambda: sbicore.EnsembleWorkflow(ensemble_sze=3),
            "EnsembleWorkflow has no argument 'ensemble_sze'; did you mean 'ensemble_size'",
        ),
        (
            lambda: sbicore.CompositionalWorkflow(prir=3),
            "CompositionalWorkflow has no argument 'prir'; did you mean 'prior'",
        ),
        (lambda: sbicore.BasicWorkflow(subnt="mlp"), "'flow_matching' has no hyperparameter 'subnt'; .* 'subnet'"),
    ],
)
def test_a_class_tells_the_arguments_that_it_has(make, words):
    with pytest.raises(UnknownHyperparameterError, match=words):
        make()


def test_a_call_tells_all_that_it_takes(trained):
    with pytest.raises(
        UnknownHyperparameterError, match="sample has no argument 'stps'; did you mean 'steps'"
    ) as raised:
        trained.sample({"x": [0.0, 0.0]}, 3, stps=3)
    for name in ("conditions", "num_samples", "seed", "steps", "method", "precision"):
        assert f" {name}," in str(raised.value)
    with pytest.raises(
        UnknownHyperparameterError, match="log_prob has no argument 'hutch'; .* 'hutchinson'.\nIt takes data, seed"
    ):
        trained.log_prob({"theta": [0.0, 0.0], "x": [0.0, 0.0]}, hutch=3)


def test_a_ratio_tells_what_its_draws_take(data):
    roles = {"inference_variables": ["a"], "inference_conditions": ["x"]}
    ratio = sbicore.RatioApproximator(subnet_kwargs={"widths": [8]}, **roles)
    ratio.fit(data, epochs=1, seed=1, **QUIET)
    with pytest.raises(UnknownHyperparameterError, match="sample of a ratio has no argument 'fixed'; sample has\n"):
        ratio.sample(OBSERVED, 3, fixed={}, **QUIET)
    with pytest.raises(
        UnknownHyperparameterError, match="no argument 'candidate'; did you mean 'candidates'.*\n.*method"
    ):
        ratio.sample(OBSERVED, 3, candidate=3, **QUIET)
    with pytest.raises(ConfigError, match="does not estimate"):
        ratio.estimate(OBSERVED)


def test_what_does_not_estimate_names_what_does(trained):
    with pytest.raises(
        ConfigError, match="'flow_matching' does not estimate.\nNetworks with estimate: .*point_network"
    ):
        trained.estimate({"x": [0.0, 0.0]})


@pytest.mark.parametrize(
    ("adapter", "place"),
    [
        (sbicore.Adapter().log("b"), r"adapter step 1 \(log\) cannot take\n"),
        (sbicore.Adapter().rename("b", "c").constrain("c", lower=0), r"adapter step 2 .* cannot take as 'c'\n"),
        (sbicore.Adapter().shift("b", 1).apply("b", "log"), r"adapter step 2 \(apply\) cannot take\n"),
    ],
)
def test_bounds_and_a_step_with_a_domain_do_not_go_together(data, adapter, place):
    model = build(bounds={"b": (0, None)}, adapter=adapter, inference_variables=["a", "c" if "as" in place else "b"])
    with pytest.raises(ConfigError, match="bounds come before the adapter's steps and .* 'b', which " + place):
        model.fit(data, epochs=1, **QUIET)


def test_bounds_go_with_steps_that_take_any_number(data):
    adapter = sbicore.Adapter().scale("b", 2.0).apply("b", "exp").log("b").concatenate(["a", "b"], into="c")
    build(bounds={"b": (0, None)}, adapter=adapter, inference_variables=["c"]).build({"a": (2,), "b": (), "x": (2,)})
