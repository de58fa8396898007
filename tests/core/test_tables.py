"""Data frames, labelled arrays and torch data sets as data, and draws as InferenceData and data frame."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import sbicore
from sbicore.errors import ConfigError, DataError, DataWarning, ShapeError


def build(**roles):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        **{"inference_variables": ["theta"], "inference_conditions": ["x", "group"], **roles},
    )


OPTIONS = {"epochs": 1, "batch_size": 32, "seed": 1, "progress": False}


def columns(count=200):
    rng = np.random.default_rng(0)
    theta = rng.normal(size=count)
    return {"theta": theta, "x": theta + rng.normal(size=count), "group": rng.choice(["a", "b", "c"], count)}


def pandas_frame(data):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(data)
    return frame.assign(group=frame["group"].astype("category"))


def polars_frame(data):
    polars = pytest.importorskip("polars")
    return polars.DataFrame(data).with_columns(polars.col("group").cast(polars.Enum(["a", "b", "c"])))


def weights(model):
    return torch.cat([value.flatten().double() for value in model.state_dict().values()])


@pytest.mark.parametrize("frame", [pandas_frame, polars_frame])
def test_a_frame_is_its_columns_with_categories_one_hot(frame, tmp_path):
    data = columns()
    model = build()
    model.fit(frame(data), **OPTIONS)
    assert model.pipeline.events == {"theta": (), "x": (), "group": (3,)}
    hot = (data["group"][:, None] == np.array(["a", "b", "c"])).astype(np.float32)
    plain = build()
    plain.fit({**data, "group": hot}, **OPTIONS)
    assert torch.equal(weights(model), weights(plain))

    model.save(tmp_path / "m.sbi")
    loaded = sbicore.load(tmp_path / "m.sbi")
    few = {name: value[:5] for name, value in data.items()}
    expected = plain.sample({"x": few["x"], "group": hot[:5]}, 3, seed=1, progress=False)["theta"]
    for given in (frame(few), few, {"x": few["x"], "group": hot[:5]}):
        np.testing.assert_array_equal(loaded.sample(given, 3, seed=1, progress=False)["theta"], expected)
    assert loaded.sample({"x": 0.3, "group": "b"}, 3, progress=False)["theta"].shape == (1, 3)
    assert loaded.log_prob(frame(few), progress=False).shape == (5,)


def test_an_unseen_category_is_told_with_the_known_ones():
    model = build()
    model.fit(pandas_frame(columns()), **OPTIONS)
    with pytest.raises(DataError, match="conditions: 'group' has the unseen category 'd'\nKnown: 'a', 'b', 'c'"):
        model.sample({"x": [0.0], "group": ["d"]}, 3)
    frame = pandas_frame(columns())
    other = frame.assign(x=frame["group"])
    with pytest.raises(DataError, match="'x' is categorical, and was not in the first data"):
        model.fit(other, **OPTIONS)


def test_categories_among_several_data_sets():
    model = build(drop_cond_prob=0.1)
    model.fit(pandas_frame(columns()), **OPTIONS)
    several = {"x": np.zeros((3, 2)), "group": [["a", "b"], ["c", "c"], ["b", "a"]]}
    hot = (np.array(several["group"])[..., None] == np.array(["a", "b", "c"])).astype(np.float32)
    options = {"num_samples": 4, "seed": 1, "progress": False}
    expected = model.compositional_sample({**several, "group": hot}, **options)["theta"]
    np.testing.assert_array_equal(model.compositional_sample(several, **options)["theta"], expected)
    one = pandas_frame({"x": np.zeros(2), "group": ["c", "c"]})
    assert model.compositional_sample(one, **options)["theta"].shape == (1, 4)
    names = {"x": np.zeros(2), "group": ["a", "unheard"]}
    with pytest.raises(DataError, match="conditions: 'group' has the unseen category 'unheard'"):
        model.compositional_sample(names, **options)


def test_a_category_is_inferred_and_fixed():
    model = build(inference_variables=["theta", "group"], inference_conditions=["x"], drop_target_prob=0.3)
    model.fit(pandas_frame(columns()), **OPTIONS)
    options = {"fixed": {"group": ["c", "a"]}, "seed": 1, "progress": False}
    draws = model.sample({"x": np.zeros(2)}, 3, **options)
    np.testing.assert_array_equal(draws["group"], [["c"] * 3, ["a"] * 3])
    draws = model.sample({"x": np.zeros(2)}, 3, as_tensor=True, **options)
    assert torch.equal(draws["group"], torch.tensor([[2] * 3, [0] * 3]))
    with pytest.raises(DataError, match="'group' is a category and has no density"):
        model.log_prob(pandas_frame(columns()))


def test_an_inferred_category_comes_back_as_its_labels():
    rng = np.random.default_rng(0)
    group = rng.choice([3, 7], 400)
    frame = pandas_frame({"group": group, "x": group + 0.1 * rng.normal(size=400)})
    roles = {"inference_variables": ["group"], "inference_conditions": ["x"]}
    model = sbicore.build("flow_matching", subnet_kwargs={"widths": [32]}, ensemble=2, **roles)
    model.fit(frame, epochs=10, batch_size=64, learning_rate=5e-3, seed=1, progress=False)
    for given in ({}, {"merge_members": False}):
        draws = model.sample({"x": [3.0, 7.0]}, 50, seed=1, progress=False, **given)
        for found in draws.values() if given else [draws]:
            assert found["group"].shape == (2, 50) and found["group"].dtype.kind == "i"
            assert (found["group"] == [[3], [7]]).mean() > 0.75  # by chance 0.5, with an error of 0.05
    ratio = sbicore.RatioApproximator(subnet_kwargs={"widths": [32]}, **roles)
    ratio.fit(frame, epochs=5, batch_size=64, seed=1, progress=False)
    draws = ratio.sample({"x": [3.0, 7.0]}, 50, seed=1, progress=False)["group"]
    assert draws.shape == (2, 50) and set(np.unique(draws)) == {3, 7}
    log_ratio = ratio.log_ratio({"group": [3, 7], "x": [3.0, 3.0]}, progress=False)
    assert log_ratio[0] > log_ratio[1]


def test_a_frame_validates_with_its_weights():
    data, few = columns(), columns(60)
    weight = np.arange(60.0)
    weighted = [pandas_frame({**few, "sample_weight": w}) for w in (weight, 2 * weight, np.ones(60))]
    losses = [build().fit(pandas_frame(data), validation_data=rows, **OPTIONS).val_loss[-1] for rows in weighted]
    assert losses[0] == pytest.approx(losses[1]) and losses[0] != pytest.approx(losses[2])
    model = sbicore.build("flow_matching", use_optimal_transport=True, inference_variables=["theta"])
    frame = pandas_frame({**few, "sample_weight": weight})
    with pytest.raises(ConfigError, match="validation_data have 'sample_weight'"):
        model.fit({"theta": data["theta"]}, validation_data=frame[["theta", "sample_weight"]], **OPTIONS)


def test_columns_of_text_are_refused_with_advice():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(DataError, match=r"Column 'group' is not numeric.*\n.*: astype\('category'\)"):
        build().fit(pandas.DataFrame(columns()), **OPTIONS)
    polars = pytest.importorskip("polars")
    with pytest.raises(DataError, match=r"Column 'group' is not numeric"):
        build().fit(polars.DataFrame(columns()), **OPTIONS)


def test_missing_integers_and_double_names():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"theta": pandas.array([1, None, 3] * 30, dtype="Int64"), "x": np.arange(90)})
    with pytest.raises(DataError, match="30 of 90 rows have NaN"):
        build(inference_conditions=["x"]).fit(frame, **OPTIONS)
    twice = pandas.concat([frame, frame[["x"]]], axis=1)
    with pytest.raises(DataError, match="Several columns are called 'x'"):
        build(inference_conditions=["x"]).fit(twice, **OPTIONS)


def test_a_labelled_data_set():
    xarray = pytest.importorskip("xarray")
    data = columns()
    series = np.stack([data["x"]] * 4, axis=1)
    dataset = xarray.Dataset({"theta": ("row", data["theta"]), "x": (("row", "time"), series)})
    model, plain = build(inference_conditions=["x"]), build(inference_conditions=["x"])
    model.fit(dataset, **OPTIONS)
    plain.fit({"theta": data["theta"], "x": series}, **OPTIONS)
    assert torch.equal(weights(model), weights(plain))
    turned = dataset.assign(x=dataset["x"].transpose("time", "row"))
    with pytest.raises(ShapeError, match="first dimension is that of the rows"):
        build(inference_conditions=["x"]).fit(turned, **OPTIONS)


def test_torch_data_sets_and_loaders():
    class Rows(torch.utils.data.Dataset):
        def __len__(self):
            return 200

        def __getitem__(self, index):
            if index >= 200:
                raise IndexError
            return {"theta": torch.tensor([float(index)]), "x": torch.tensor([float(index), 1.0 * (index % 7)])}

    for data in (Rows(), torch.utils.data.DataLoader(Rows(), batch_size=50)):
        model = build(inference_conditions=["x"])
        assert model.fit(data, **OPTIONS).steps == 200 // 32


def test_tensors_that_need_gradients_are_data():
    theta = torch.randn(100, 2, requires_grad=True)
    model = build(inference_conditions=["x"])
    model.fit({"theta": theta, "x": theta * 2 + torch.randn(100, 2)}, **OPTIONS)


def draws(observations, count=7):
    rng = np.random.default_rng(1)
    return {"mu": rng.normal(size=(observations, count)), "beta": rng.normal(size=(observations, count, 2, 3))}


def test_one_observation_in_arviz():
    pytest.importorskip("arviz")
    data = sbicore.to_arviz(
        draws(1),
        observed_data={"x": np.zeros((1, 4))},
        prior={"mu": np.zeros(9)},
        posterior_predictive={"x": np.zeros((1, 7, 4))},
    )
    assert dict(data.posterior["beta"].sizes) == {"chain": 1, "draw": 7, "beta_dim_0": 2, "beta_dim_1": 3}
    np.testing.assert_array_equal(data.posterior["mu"].values, draws(1)["mu"])
    assert data.observed_data["x"].shape == (4,) and data.prior["mu"].shape == (1, 9)
    assert data.posterior_predictive["x"].shape == (1, 7, 4)


def test_several_observations_in_arviz():
    pytest.importorskip("arviz")
    data = sbicore.to_arviz(draws(3), observed_data={"x": np.arange(12).reshape(3, 4)})
    assert data.posterior["mu"].dims == ("chain", "draw", "observation")
    assert data.observed_data["x"].dims[0] == "observation"
    np.testing.assert_array_equal(data.posterior["beta"].sel(observation=2)[0].values, draws(3)["beta"][2])
    with pytest.raises(ShapeError, match="posterior_predictive has 2 observations, draws 3"):
        sbicore.to_arviz(draws(3), posterior_predictive=draws(2))


def test_a_row_for_each_draw():
    pytest.importorskip("pandas")
    frame = sbicore.to_dataframe(draws(3))
    assert list(frame.columns[:4]) == ["observation", "draw", "mu", "beta[0, 0]"] and len(frame) == 21
    row = frame[(frame.observation == 2) & (frame.draw == 5)].iloc[0]
    assert row["beta[1, 2]"] == draws(3)["beta"][2, 5, 1, 2]


def test_what_are_no_draws():
    pytest.importorskip("pandas")
    with pytest.raises(DataError, match="draws must be a dict of arrays by name"):
        sbicore.to_dataframe(np.zeros(3))
    with pytest.raises(ShapeError, match=r"draws have shapes that do not agree: a \(1, 2\), b \(1, 3\)"):
        sbicore.to_dataframe({"a": np.zeros((1, 2)), "b": np.zeros((1, 3))})


def test_a_frame_with_text_for_a_category_is_an_observation():
    pandas = pytest.importorskip("pandas")
    model = build()
    model.fit(pandas_frame(columns()), **OPTIONS)
    text = {"x": [0.1, 0.2], "group": ["a", "c"]}
    found = [model.sample(given, 3, seed=1, progress=False)["theta"] for given in (text, pandas.DataFrame(text))]
    np.testing.assert_array_equal(*found)


def test_vectors_for_a_category_have_a_single_one():
    model = build()
    model.fit(pandas_frame(columns()), **OPTIONS)
    for bad in ([[0, 5, 0]], [[1, 1, 0]], [[0.2, 0.3, 0.5]], torch.zeros(1, 3)):
        with pytest.raises(
            DataError, match="'group' is no one-hot vector in 1 of 1 rows, first in number 0\n.*'a', 'b'"
        ):
            model.sample({"x": [0.0], "group": bad}, 3)


def test_a_near_category_of_another_type_is_told_apart():
    pandas = pytest.importorskip("pandas")
    model = build()
    data = columns() | {"group": np.random.default_rng(0).integers(1, 4, 200)}
    model.fit(pandas.DataFrame(data).astype({"group": "category"}), **OPTIONS)
    with pytest.raises(DataError, match="unseen category '2'; did you mean 2?"):
        model.sample({"x": [0.0], "group": ["2"]}, 3)


def test_transposed_labelled_arrays_are_found(tmp_path):
    xarray = pytest.importorskip("xarray")
    rng = np.random.default_rng(0)
    theta = rng.normal(size=200)
    data = xarray.Dataset({"theta": ("row", theta), "x": (("row", "f"), theta[:, None] + rng.normal(size=(200, 2)))})
    model = build(inference_conditions=["x"])
    model.fit(data, **OPTIONS)
    model.save(tmp_path / "m.sbi")
    two = data[["x"]].isel(row=slice(2))
    for one in (model, sbicore.load(tmp_path / "m.sbi")):
        for given in (two, {"x": two["x"]}, two.isel(row=0), two.rename(row="observed")):
            one.sample(given, 3, progress=False)
        for given in (two.transpose(), {"x": two["x"].T}):
            with pytest.raises(ShapeError, match=r"dimensions f, row, .* with f\nGive: x.transpose\(\.\.\., 'f'\)"):
                one.sample(given, 3, progress=False)


def vectors(count=200):
    x = np.random.default_rng(0).normal(size=(count, 2))
    return {"theta": x[:, 0], "x": x}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_rows_of_a_frame_are_not_the_entries_of_one_observation(library):
    frames = pytest.importorskip(library)
    model = build(inference_conditions=["x"])
    model.fit(vectors(), **OPTIONS)
    with pytest.raises(ShapeError, match=r"'x' has shape \(2,\), expected \(N, 2\).*\n.*frame\[columns\]\.to_numpy"):
        model.sample(frames.DataFrame({"x": [0.0, 1.0]}), 3)
    with pytest.raises(ShapeError, match=r"data: 'x' has shape \(2,\), expected \(N, 2\)"):
        model.log_prob(frames.DataFrame({"x": [0.0, 1.0], "theta": [0.0, 0.0]}))
    for rows in ([[0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]):
        draws = model.sample(frames.DataFrame({"x": rows}), 3, seed=1, progress=False)["theta"]
        assert draws.shape == (len(rows), 3)
    assert model.sample({"x": [0.0, 1.0]}, 3, progress=False)["theta"].shape == (1, 3)


@pytest.mark.parametrize("labelled", [True, False])
def test_rows_of_a_labelled_data_set_are_not_the_entries_of_one_observation(labelled):
    xarray = pytest.importorskip("xarray")
    data = vectors()
    dataset = xarray.Dataset({"theta": ("row", data["theta"]), "x": (("row", "time"), data["x"])})
    model = build(inference_conditions=["x"])
    model.fit(dataset if labelled else data, **OPTIONS)
    given = xarray.Dataset({"x": ("row", [0.0, 1.0])})
    with pytest.raises(ShapeError, match=r"'x' has shape \(2,\), expected \(N, 2\).*\n.*x\.expand_dims\('row'\)"):
        model.sample(given, 3)
    one = xarray.Dataset({"x": ("time", [0.0, 1.0])})
    for single in (one.expand_dims("row"), *([one] if labelled else [])):
        assert model.sample(single, 3, progress=False)["theta"].shape == (1, 3)


@pytest.mark.parametrize("frame", [pandas_frame, polars_frame])
def test_rows_without_a_category_are_dropped_and_counted(frame):
    data = columns()
    data["group"] = [None if row in (3, 50) else label for row, label in enumerate(data["group"])]
    kept = {name: np.delete(np.array(value), [3, 50]) for name, value in data.items()}
    model, complete = build(), build()
    with pytest.warns(DataWarning, match=r"2 of 200 rows dropped because of NaN.*\(group: 2\)"):
        model.fit(frame(data), **OPTIONS)
    complete.fit(frame(kept), **OPTIONS)
    assert torch.equal(weights(model), weights(complete))
    few = {name: value[2:5] for name, value in data.items()}
    told = r"'group' has no category in 1 of 3 observations, first in number 1\nGive categories"
    with pytest.raises(DataError, match=told):
        model.sample(frame(few), 3)
    with pytest.raises(DataError, match="has no category in 1 of 2"):
        model.sample({"x": [0.0, 0.0], "group": ["a", float("nan")]}, 3)


def test_a_category_may_be_missing_where_values_may():
    data = columns()
    data["group"] = [None if row % 5 == 0 else label for row, label in enumerate(data["group"])]
    model = build(missing="mask")
    model.fit(pandas_frame(data), **OPTIONS)
    assert model.sample({"x": [0.0, 0.0], "group": ["a", None]}, 3, progress=False)["theta"].shape == (2, 3)


def test_a_category_that_is_missing_is_inferred():
    model = build(inference_variables=["theta", "group"], inference_conditions=["x"], drop_target_prob=0.3)
    model.fit(pandas_frame(columns()), **OPTIONS)
    draws = model.sample({"x": np.zeros(2)}, 20, fixed={"group": ["c", None]}, seed=1, progress=False)["group"]
    assert set(draws[0]) == {"c"} and set(draws[1]) <= {"a", "b", "c"}


@pytest.mark.parametrize("when", ["before", "after"])
def test_no_rows_of_a_category(when):
    frame, model = pandas_frame(columns()), build()
    if when == "after":
        model.fit(frame, **OPTIONS)
    with pytest.raises(DataError, match="no rows"):
        model.fit(frame.iloc[:0], **OPTIONS)
    if when == "after":
        with pytest.raises(DataError, match="no rows"):
            model.sample(frame.iloc[:0], 3, progress=False)
