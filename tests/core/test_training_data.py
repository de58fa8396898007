"""What `fit` is given: batches, weights of rows, validation data, and how errors name them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import sbicore
from sbicore.approximators._weights import WeightMean
from sbicore.errors import ConfigError, DataError, DataWarning, ShapeError, UnknownHyperparameterError
from sbicore.training.sources import FreshSource


def linear(rows=200, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(rows, 2))
    return {"theta": theta, "x": theta + 0.5 * rng.normal(size=(rows, 2))}


def in_batches(data, size=50):
    return [{name: value[i : i + size] for name, value in data.items()} for i in range(0, len(data["x"]), size)]


def build(**arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        inference_variables=["theta"],
        inference_conditions=["x"],
        **arguments,
    )


def fit(data, model=None, **options):
    model = model or build()
    model.fit(data, **{"epochs": 1, "batch_size": 32, "seed": 1, "progress": False, **options})
    return model


class Simulator:
    """Rows with a weight in every call but those that `without` names."""

    def __init__(self, weights=1.0, without=()):
        self.weights, self.without, self.calls = weights, without, 0

    def sample(self, n, *, seed=None):
        data = linear(n, seed)
        if self.calls not in self.without:
            data["sample_weight"] = np.full(n, self.weights)
        self.calls += 1
        return data


@pytest.mark.parametrize("container", [list, iter])
@pytest.mark.parametrize("count", [5, 20, 200])
def test_dicts_of_single_rows_are_warned_of(container, count):
    data = linear()
    rows = [{name: value[i] for name, value in data.items()} for i in range(count)]
    with pytest.warns(DataWarning, match=rf"Each of {count} dicts has vectors of length 2.*\n.*np\.stack") as caught:
        fit(container(rows), batch_size=4)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("container", [list, iter])
def test_batches_are_not_taken_for_single_rows(container):
    scalars = {name: value[:, 0] for name, value in linear().items()}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(container(in_batches(linear(), 2)))
        fit(container(in_batches(scalars, 50)))
        fit(container(in_batches(scalars, 3)))
        fit(container(in_batches(scalars, 20)))
        fit(container(in_batches(scalars, 8)))
        fit(container(in_batches({name: value[:16] for name, value in scalars.items()}, 4)), batch_size=4)


def test_a_trained_approximator_knows_its_rows():
    model = fit(linear())
    fit([{name: value[i] for name, value in linear().items()} for i in range(200)], model)


def test_single_rows_of_different_lengths_are_explained():
    rows = [{"theta": np.zeros(2), "x": np.zeros(3)}] * 50
    with pytest.raises(ShapeError, match=r"different numbers of rows: theta 2, x 3\n.*np\.stack"):
        fit(rows)


@pytest.mark.parametrize("container", [list, iter])
@pytest.mark.parametrize("weighed", [0, 2])
def test_weights_in_some_batches_only_are_an_error(container, weighed):
    batches = in_batches(linear())
    batches[weighed]["sample_weight"] = np.ones(50)
    with pytest.raises(DataError, match="batches have different variables: sample_weight"):
        fit(container(batches))


@pytest.mark.parametrize("without", [{0}, {1}])
def test_a_simulator_weighs_all_rows_or_none(without):
    with pytest.raises(DataError, match="batches have different variables: sample_weight"):
        fit(Simulator(without=without), epochs=30, num_batches_per_epoch=10)


def test_gathered_batches_have_rows_of_one_shape():
    with pytest.raises(ShapeError, match=r"different shapes: 'x' \(2,\) and \(3,\)"):
        fit(iter([linear(), {**linear(), "x": np.zeros((200, 3))}]))
    with pytest.raises(DataError, match="'x' is a single number"):
        fit(iter([{"theta": [1.0], "x": 2.0}]))


@pytest.mark.parametrize("container", [list, iter])
def test_no_batch_brings_weights_past_optimal_transport(container):
    batches = in_batches(linear())
    batches[2]["sample_weight"] = np.ones(50)
    with pytest.raises((ConfigError, DataError), match="sample_weight"):
        fit(container(batches), build(use_optimal_transport=True))
    with pytest.raises(ConfigError, match="validation_data have 'sample_weight'"):
        fit(linear(), build(use_optimal_transport=True), validation_data=batches[2])
    with pytest.raises(ConfigError, match="Rows cannot have weights"):
        fit(Simulator(without={0}), build(use_optimal_transport=True), epochs=30, num_batches_per_epoch=10)


@pytest.mark.parametrize("scale", [1e38, 1e-42, 1e200])
def test_the_size_of_weights_is_of_no_concern(scale):
    rng = np.random.default_rng(3)
    weights = rng.uniform(0.5, 2.0, size=200)
    data = linear()
    held_out = {**linear(60, 1), "sample_weight": scale * weights[:60]}
    losses = []
    for factor in (1.0, scale):
        model = fit({**data, "sample_weight": factor * weights}, validation_data=held_out)
        losses.append([model.history.loss, model.history.val_loss])
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)
    assert np.isfinite(losses).all()


@pytest.mark.parametrize(
    ("source", "options"),
    [
        (in_batches, {}),
        (lambda data: iter(in_batches(data)), {}),
        (lambda _: Simulator(1e38), {"num_batches_per_epoch": 3}),
    ],
)
def test_weights_of_streams_and_simulators_are_scaled_too(source, options):
    model = fit(source({**linear(), "sample_weight": np.full(200, 1e38)}), **options)
    assert model.history.skipped_steps == 0


def test_the_mean_weight_is_that_of_all_rows():
    mean = WeightMean("data").add(torch.tensor([1.0, 2.0])).add(None).add(torch.tensor([6.0]))
    assert mean.value == 3.0
    assert WeightMean("data").add(None).value == 1.0


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        (0.0, "sample_weight is zero in each of"),
        (np.inf, "sample_weight has negative, infinite or NaN"),
        (np.nan, "sample_weight has negative, infinite or NaN"),
        (-1.0, "sample_weight has negative, infinite or NaN"),
        (1e308, "the sum of sample_weight overflows"),
    ],
)
def test_impossible_weights_are_named(weight, words):
    weighed = {**linear(), "sample_weight": np.full(200, weight)}
    for data in (weighed, in_batches(weighed)):
        with pytest.raises(DataError, match=words):
            fit(data)
    with pytest.raises(DataError, match=f"validation_data: {words}"):
        fit(linear(), validation_data=weighed)


@pytest.mark.parametrize("name", ["sample_weights", "sampleweight", "sample_weigth", "Sample_Weight"])
def test_misspelt_weights_are_warned_of(name):
    data = {**linear(), name: np.ones(200)}
    with pytest.warns(DataWarning, match=f"{name!r} is not used; weights of rows are called 'sample_weight'") as caught:
        fit(data)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("name", ["weight", "samples", "sample_id", "sample_size"])
def test_other_unused_variables_are_fine(name):
    fit({**linear(), name: np.ones(200)})
    fit({**linear(), "sample_weights": np.ones(200), "sample_weight": np.ones(200)})


@pytest.mark.parametrize(
    ("validation_data", "error", "words"),
    [
        ({"theta": np.zeros((5, 2))}, DataError, "validation_data lack x"),
        ({}, DataError, "validation_data is empty"),
        ([1], DataError, "validation_data must be a dict"),
        ({"theta": np.zeros((5, 2)), "x": np.zeros((5, 3))}, ShapeError, r"validation_data: 'x' has shape \(5, 3\)"),
        ({"theta": np.zeros((5, 2)), "x": np.zeros((4, 2))}, ShapeError, "validation_data: variables have different"),
        ({"theta": np.zeros((0, 2)), "x": np.zeros((0, 2))}, DataError, "validation_data: no rows"),
        ({"theta": np.zeros((5, 2)), "x": np.full((5, 2), np.nan)}, DataError, "validation_data: 5 of 5 rows"),
    ],
)
def test_problems_of_validation_data_are_called_so(validation_data, error, words):
    for data in (linear(), in_batches(linear()), Simulator()):
        with pytest.raises(error, match=words):
            fit(data, validation_data=validation_data)


def test_rows_dropped_from_validation_data_are_counted_apart():
    data, held_out = linear(), linear(100, 1)
    data["x"][:3] = np.nan
    held_out["x"][:5] = np.nan
    with pytest.warns(DataWarning) as caught:
        fit(data, validation_data=held_out)
    told = [str(warning.message) for warning in caught]
    assert any(text.startswith("data: 3 of 200 rows dropped") for text in told)
    assert any(text.startswith("validation_data: 5 of 100 rows dropped") for text in told)
    assert {warning.filename for warning in caught} == {__file__}


@pytest.mark.parametrize("name", ["theta", "x"])
def test_variables_without_entries_are_named(name):
    with pytest.raises(ShapeError, match=rf"'{name}' has no entries: each of its rows has shape \(0,\)"):
        fit({**linear(), name: np.zeros((200, 0))})
    fit({**linear(), "unused": np.zeros((200, 0))})


def test_validation_rows_are_standardised_like_training_rows():
    """Standardised data do not depend on units, and neither does a loss on them."""
    losses = []
    for unit in (1.0, 100.0):
        data, held_out = ({name: unit * value for name, value in linear(seed=seed).items()} for seed in (0, 1))
        for options in ({}, {"validation_data": held_out}):
            losses.append(fit(data, **options).history.val_loss[0])
    np.testing.assert_allclose(losses[:2], losses[2:], rtol=1e-4)


@pytest.mark.parametrize("network", ["deep_set", "time_series_network", "fusion_transformer"])
def test_sets_and_series_have_an_axis_for_features(network):
    model = sbicore.build(
        "flow_matching", summary_network=network, inference_variables=["theta"], summary_variables=["x"]
    )
    with pytest.raises(
        ShapeError, match=rf"{network!r} takes se\w+s \(N, F\); .* 'x' has the shape \(2,\)[^!]*x\[\.\.\., None\]"
    ):
        fit(linear(), model)
    with pytest.raises(ShapeError, match=r"each row of 'x' has the shape \(2, 1, 1\)\.$"):
        fit({**linear(), "x": np.zeros((200, 2, 1, 1))}, model)


def test_images_and_parts_of_a_fusion_have_all_their_axes():
    backbones = {"x": "deep_set", "map": sbicore.networks.ConvolutionalNetwork(widths=[4])}
    data = {**linear(), "map": np.zeros((200, 4, 4, 1))}

    def fused(**changed):
        network = sbicore.networks.FusionNetwork(backbones=backbones)
        fit(data | changed, sbicore.build("flow_matching", summary_network=network, inference_variables=["theta"]))

    with pytest.raises(ShapeError, match=r"'deep_set' takes sets \(N, F\); each row of 'x' has the shape \(2,\)"):
        fused()
    with pytest.raises(
        ShapeError, match=r"takes images \(H, W, C\); .*'map' .*\(4, 4\)\.\n.*channel: map\[\.\.\., None\]"
    ):
        fused(x=np.zeros((200, 2, 1)), map=np.zeros((200, 4, 4)))


def test_weights_are_one_number_a_row():
    with pytest.raises(ShapeError, match=r"'sample_weight' has shape \(200, 2\), expected \(N,\): one number"):
        fit({**linear(), "sample_weight": np.ones((200, 2))})
    fit({**linear(), "sample_weight": np.ones((200, 1))})


def test_numbers_as_objects_are_called_so():
    data = linear()
    with pytest.raises(DataError, match="'theta' is not numeric: dtype object\nNumbers in .*astype"):
        fit({**data, "theta": data["theta"][:, 0].astype(object)})


def test_what_float32_cannot_hold_is_told_before_training():
    data, steps = linear(), []

    def tried(scales, **arguments):
        scaled = {name: value * scales.get(name, 1.0) for name, value in data.items()}
        return fit(scaled, build(**arguments), callbacks=[lambda model, event: steps.append(event)])

    with pytest.raises(DataError, match="'theta' has values up to .e\\+60; draws are float32"):
        tried({"theta": 1e60})
    with pytest.raises(DataError, match=r"data: x\[0\], x\[1\] too large for float64.*\n.*logarithm"):
        tried({"x": 1e300})
    with pytest.raises(DataError, match=r"x\[0\], x\[1\] too large for float32.*not standardised"):
        tried({"x": 1e60}, standardize="inference_variables")
    assert not steps
    model = tried({"x": 1e44})
    with pytest.raises(DataError, match="conditions: inference_conditions are further from .* than torch.float32"):
        model.sample({"x": [1e300, 0.0]}, 3, progress=False)
    assert np.isfinite(model.sample({"x": [1e44, 0.0]}, 3, progress=False)["theta"]).all()


def test_a_call_without_conditions_says_which_there_are():
    with pytest.raises(DataError, match="conditions are empty; trained with: x"):
        fit(linear()).sample({}, 3)


class Simulations:
    """Rows as `make(rng, n)` has them, with a generator of the seed or always the same."""

    def __init__(self, make=lambda rng, n: rng.normal(size=n), seeded=True):
        self.make, self.seeded = make, seeded

    def sample(self, n, seed=None):
        rng = np.random.default_rng(seed if self.seeded else 0)
        theta = self.make(rng, n)
        return {"theta": theta, "x": np.stack([theta, rng.normal(size=theta.shape)], axis=-1)}


@pytest.mark.parametrize("source", [linear(), [linear(), linear()], iter([linear()])])
def test_options_that_mean_nothing_beside_the_data_are_refused(source):
    with pytest.raises(ConfigError, match=r"num_batches_per_epoch is for simulators.*\nGive steps=\.\.\. or epochs"):
        fit(source, num_batches_per_epoch=3)
    held_out = {"validation_data": linear(), "validation_fraction": 0.2}
    with pytest.raises(ConfigError, match="no meaning beside validation_data: .*\nGive one of them"):
        fit(source, **held_out)
    model = build(fit_kwargs={"num_batches_per_epoch": 3, "validation_fraction": 0.2})
    fit(linear(), model, validation_data=linear())  # defaults are for any data
    fit(linear(), model, validation_data=linear(), validation_fraction=0.0)


@pytest.mark.parametrize("rows", [lambda n: 7, lambda n: n // 2, lambda n: n + 1])
def test_a_simulator_that_makes_another_number_of_rows_is_refused(rows):
    source = Simulations(lambda rng, n: rng.normal(size=rows(n)))
    with pytest.raises(ShapeError, match=r"rows of 'theta' where \d+ rows were asked for\nIts sample"):
        fit(source, num_batches_per_epoch=2)


def test_a_simulator_that_forgets_its_seed_is_told():
    with pytest.warns(DataWarning, match=r"same theta for two seeds[^\n]*\n.*default_rng"):
        fit(Simulations(seeded=False), num_batches_per_epoch=2)
    fit(Simulations(lambda rng, n: np.arange(n) % 2.0), num_batches_per_epoch=2)  # may be so by chance


def test_what_is_not_conditioned_on_is_told():
    model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, inference_variables=["theta"])
    with pytest.warns(
        DataWarning, match=r"the prior is learnt; not used: 'x'.\nBuild with inference_conditions=\['x'\]"
    ):
        fit(linear(), model)
    with pytest.raises(DataError, match="without conditions, and is given 'x'\nBuild it with inference_conditions"):
        model.sample({"x": [0.0, 0.0]}, 3, progress=False)


@pytest.mark.parametrize(("name", "near"), [("devise", "device"), ("sed", "seed"), ("epoch", "epochs")])
def test_a_misspelt_argument_of_fit_is_named(name, near):
    with pytest.raises(UnknownHyperparameterError, match=f"fit has no argument {name!r}; did you mean {near!r}"):
        fit(linear(), **{name: 1})


def test_a_batch_is_as_long_as_its_own_sets():
    lengths = iter([9, 3, 5, 5])
    source = FreshSource(
        lambda n, call: {"x": torch.ones(4, next(lengths), 1)},
        None,
        batch_size=4,
        steps_per_epoch=3,
        chunk=1,
        device=torch.device("cpu"),
        repeats=False,
    )
    assert [batch["x"].shape[1] for batch in source.epoch()] == [9, 3, 5]
