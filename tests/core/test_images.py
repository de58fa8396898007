"""Targets that are images, from data to draws, on a subnet that looks at one pixel at a time."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

import sbicore
from sbicore.approximators import _memory
from sbicore.approximators._blocks import block_of
from sbicore.config import frozen
from sbicore.errors import ConfigError, DataError, DataWarning, SamplingError, ShapeError, TrainingError
from sbicore.testing import TinySubnet
from sbicore.training.chunks import validation_rows

SIZE = (3, 5)


@frozen(kw_only=True)
class Pixelwise(TinySubnet):
    """The tiny subnet for images."""

    layout: ClassVar[str] = "image"


@frozen(kw_only=True)
class OnPlanesAndLines(Pixelwise):
    """The same for rows of pixels, too."""

    spatial_axes: ClassVar[tuple[int, ...]] = (1, 2)


def data(n=40, channels=2, conditions=1, dtype=float):
    rng = np.random.default_rng(1)
    field = rng.normal([1.0, 50.0][:channels], [1.0, 20.0][:channels], size=(n, *SIZE, channels))
    image = field[..., :conditions] + rng.normal(size=(n, *SIZE, conditions))
    vector = field.mean((1, 2))
    return {name: value.astype(dtype) for name, value in {"field": field, "image": image, "vector": vector}.items()}


def build(conditions=("image",), network="flow_matching", subnet=None, **arguments):
    return sbicore.build(
        network,
        subnet=subnet or Pixelwise(),
        inference_variables=["field"],
        inference_conditions=list(conditions) or None,
        **arguments,
    )


def fit(model, given=None, **options):
    options = {"epochs": 1, "batch_size": 10, "seed": 1, "progress": False, "compile": "never", **options}
    model.fit(data() if given is None else given, **options)
    return model


@pytest.fixture(scope="module")
def trained():
    return fit(build())


def draw(model, images, num_samples=3, **options):
    return model.sample({"image": images}, num_samples, seed=1, progress=False, **options)["field"]


class TestData:
    def test_draws_have_the_shape_of_the_target(self, trained):
        images = data()["image"]
        assert draw(trained, images[:4]).shape == (4, 3, *SIZE, 2)
        assert draw(trained, images[0], 1).shape == (1, 1, *SIZE, 2)

    def test_each_channel_is_standardised(self, trained):
        std = trained.standardizer("inference_variables").std
        assert std.shape == (2,)
        assert std.tolist() == pytest.approx([1.0, 20.0], rel=0.1)

    def test_integer_images_are_numbers(self):
        model = fit(build(), data(dtype=np.uint8))
        assert draw(model, data(dtype=np.uint8)["image"][:1]).dtype == np.float32

    @pytest.mark.parametrize(
        ("image", "says"),
        [
            (np.ones((2, *SIZE, 2)), r"'image' has shape \(2, 3, 5, 2\), expected \(N, 3, 5, 1\)"),
            (np.ones((2, 5, 3, 1)), r"'image' has shape \(2, 5, 3, 1\)"),
            (np.ones((2, 1)), r"'image' has shape \(2, 1\)"),
        ],
        ids=["channels", "size", "vector"],
    )
    def test_other_shapes_than_trained_are_named(self, trained, image, says):
        with pytest.raises(ShapeError, match=says):
            draw(trained, image)

    def test_one_bad_pixel_is_named(self, trained):
        images = data()["image"][:3]
        images[1, 0, 0, 0] = np.nan
        with pytest.raises(DataError, match="'image' is not finite in 1 of 3 observations, first in number 1"):
            draw(trained, images)

    def test_a_batch_of_one(self):
        assert np.isfinite(fit(build(), data(12), batch_size=1).history.loss).all()

    def test_without_conditions(self):
        model = fit(build(conditions=()), {"field": data()["field"]})
        assert model.sample(num_samples=2, seed=1, progress=False)["field"].shape == (2, *SIZE, 2)

    def test_a_summary_goes_beside_conditions_on_the_pixels(self):
        model = build(summary_network=torch.nn.Linear(2, 3), summary_variables=["vector"], subnet=Pixelwise(width=8))
        fit(model)
        given = {name: value[:2] for name, value in data().items() if name != "field"}
        assert model.observe(given).shape == (2, *SIZE, 4)
        assert model.sample(given, 2, seed=1, progress=False)["field"].shape == (2, 2, *SIZE, 2)


class TestBuilding:
    def test_vectors_beside_pixels_name_the_remedy(self):
        with pytest.raises(ShapeError, match=r"(?s)on the pixels of the targets.*conditions \(2,\).*broadcast"):
            fit(build(["vector"]))

    def test_conditions_of_another_size(self):
        given = data()
        given["image"] = given["image"][:, :2]
        with pytest.raises(ShapeError, match=r"(?s)targets have shape \(3, 5, 2\), conditions \(2, 5, 1\).\nResize"):
            fit(build(), given)

    def test_channels_have_an_axis(self):
        given = data()
        for name, lacking in (("image", "conditions"), ("field", "targets")):
            flat = {"field": given["field"][..., :1], "image": given["image"][..., :1]}
            flat[name] = flat[name][..., 0]
            with pytest.raises(ShapeError, match=rf"The {lacking} lack an axis for channels: \[\.\.\., None\]"):
                fit(build(subnet=OnPlanesAndLines()), flat)

    def test_another_number_of_axes_than_the_subnet_takes(self):
        given = {name: value.reshape(40, -1, value.shape[-1]) for name, value in data().items()}
        with pytest.raises(ConfigError, match=r"made for image targets \(H, W, C\); this target has shape \(15, 2\)"):
            fit(build(), given)

    def test_more_axes_than_images_have(self):
        given = {name: value[:, :, None, None] for name, value in data().items()}
        with pytest.raises(ConfigError, match=r"one to three axes of pixels and one of channels: .*\(D, H, W, C\)"):
            fit(build(), given)

    @pytest.mark.parametrize(
        ("event", "says"),
        [
            ((3, 16, 12), "as 3 x 16 pixels with 12 channels each"),
            ((16, 12), "as 16 pixels with 12 channels each"),
            ((9, 10, 11), "as 9 x 10 pixels with 11 channels each"),
            ((16, 12, 3), None),
            ((40, 8), None),
            ((5, 7), None),
            ((1, 1, 3), None),
        ],
    )
    def test_channels_that_come_first_or_not_at_all_are_told(self, event, says):
        given = {"field": np.random.default_rng(1).normal(size=(12, *event))}
        model = build(conditions=(), subnet=OnPlanesAndLines())
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(given, epochs=1, batch_size=6, seed=1, progress=False, compile="never")
        found = [warning for warning in caught if "channels" in str(warning.message)]
        assert [str(warning.message).count(says or "") for warning in found] == [1] * bool(says)
        assert all(issubclass(w.category, DataWarning) and w.filename == __file__ for w in found)
        assert all("field[..., None]" in str(warning.message) for warning in found)

    def test_images_that_are_summarised_are_looked_at_too(self):
        pytest.importorskip("sbicore_convolutional")
        rng = np.random.default_rng(1)
        model = sbicore.build(
            "flow_matching",
            subnet_kwargs={"widths": [8]},
            summary_network={"name": "convolutional_network", "widths": [8, 8]},
            inference_variables=["theta"],
            summary_variables=["image"],
        )
        given = {"theta": rng.normal(size=(12, 1)), "image": rng.normal(size=(12, 3, 16, 12))}
        with pytest.warns(DataWarning, match=r"summary variables of shape \(3, 16, 12\).*\n.*image\[\.\.\., None\]"):
            model.fit(given, epochs=1, batch_size=6, seed=1, progress=False, compile="never")

    def test_a_network_without_time_names_those_that_make_images(self):
        with pytest.raises(ConfigError, match=r"(?s)'mlp' is made for vector targets.*'flow_matching'.*'unet'"):
            fit(sbicore.build("point_network", inference_variables=["field"], inference_conditions=["image"]))

    def test_a_subnet_for_vectors_is_refused(self):
        with pytest.raises(ConfigError, match=r"made for vector targets; this target has shape \(3, 5, 2\)"):
            fit(build(subnet=TinySubnet()))


class TestDensity:
    def test_probes_estimate_the_exact_one(self, trained):
        given = {name: value[:3] for name, value in data().items()}
        options: dict[str, Any] = {"method": "rk4", "steps": 4, "seed": 1, "progress": False}
        exact = trained.log_prob(given, **options)
        found, report = trained.log_prob(given, hutchinson=200, report=True, **options)
        assert np.abs(found - exact).max() < 0.2
        assert report.evaluations == 16

    def test_the_exact_trace_of_many_pixels_is_refused(self):
        size = (1, 33, 32, 1)
        given = {"field": np.random.default_rng(1).normal(size=(10, *size[1:]))}
        model = fit(build(conditions=()), given, batch_size=9)
        with pytest.raises(ConfigError, match=r"(?s)1,056 backward passes.*hutchinson=10"):
            model.log_prob({"field": np.zeros(size)}, progress=False)
        assert np.isfinite(model.log_prob({"field": np.zeros(size)}, hutchinson=1, steps=1, method="euler")).all()


class TestMemory:
    def test_blocks_shrink_with_the_pixels(self):
        found = [block_of(event) for event in ((3,), (4, 4, 1), (16, 16, 3), (128, 128, 1), (999, 999, 1))]
        assert found == [1000, 1000, 64, 1, 1]

    @pytest.mark.parametrize(
        ("shapes", "rows"),
        [
            ({"inference_variables": (3,), "summary_variables": (100, 2)}, 4096),
            ({"inference_variables": (16, 16, 1)}, 128),
            ({"inference_variables": (512, 1)}, 64),
            ({"inference_variables": (3,), "summary_variables": (64, 64, 3)}, 10),
        ],
    )
    def test_validation_takes_fewer_images_at_a_time_but_never_less_than_a_batch(self, shapes, rows):
        held = {role: torch.empty((5_000, *shape), device="meta") for role, shape in shapes.items()}
        assert validation_rows(held, 10, torch.device("cpu")) == rows

    def test_validation_of_a_fit_keeps_to_that(self, monkeypatch):
        monkeypatch.setattr("sbicore.training.chunks._PIXELS", 8 * 15)
        model, sizes = build(), []
        model.build({"field": (*SIZE, 2), "image": (*SIZE, 1)})
        loss = model.network.loss
        monkeypatch.setattr(
            model.network, "loss", lambda x, *rest, **options: sizes.append(len(x)) or loss(x, *rest, **options)
        )
        fit(model, batch_size=4, validation_fraction=0.5)
        assert sizes == [4] * 5 + [7, 7, 6]

    def test_draws_do_not_depend_on_the_chunks(self, trained, monkeypatch):
        monkeypatch.setattr("sbicore.approximators._blocks._PIXELS", 4 * 15)
        images = data()["image"][:3]
        whole = draw(trained, images, 10)
        np.testing.assert_allclose(draw(trained, images, 10, chunk_size=1), whole, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(
            draw(trained, images[1:2], 10), draw(trained, images[1:2], 10, chunk_size=5), rtol=1e-4
        )

    @pytest.mark.parametrize("error", [MemoryError(), torch.cuda.OutOfMemoryError("CUDA out of memory")])
    def test_chunks_are_halved_where_memory_does_not_suffice(self, trained, monkeypatch, error):
        monkeypatch.setattr("sbicore.approximators._blocks._PIXELS", 2 * 15)
        images = data()["image"][:4]
        whole, sample, sizes = draw(trained, images, 6), trained.network.sample, []

        def limited(shape, conditions, **options):
            sizes.append(shape[0])
            if shape[0] > 3:
                raise error
            return sample(shape, conditions, **options)

        monkeypatch.setattr(trained.network, "sample", limited)
        np.testing.assert_allclose(draw(trained, images, 6), whole, rtol=1e-4, atol=1e-4)
        assert sizes == [12, 6, 3, 3, 3, 3]

    def test_less_than_one_block_is_an_error(self, trained, monkeypatch):
        def none(*arguments, **options):
            raise MemoryError

        monkeypatch.setattr(trained.network, "sample", none)
        with pytest.raises(SamplingError, match="memory does not suffice for 3 draws at a time"):
            draw(trained, data()["image"][:2])

    def test_other_errors_stay_what_they_are(self, trained, monkeypatch):
        def wrong(*arguments, **options):
            raise RuntimeError("shapes differ")

        monkeypatch.setattr(trained.network, "sample", wrong)
        with pytest.raises(RuntimeError, match="shapes differ"):
            draw(trained, data()["image"][:2])

    @pytest.mark.parametrize(
        ("free", "advice"), [(1000, "At most num_samples=4 would fit."), (100, "fewer observations")]
    )
    def test_results_that_do_not_fit_are_named_first(self, trained, monkeypatch, free, advice):
        monkeypatch.setattr(_memory, "_free_bytes", lambda: free)
        with pytest.raises(SamplingError, match=advice):
            draw(trained, data()["image"][:2], 5)

    @pytest.mark.parametrize("ensemble", [None, 2])
    def test_a_step_that_does_not_fit_names_what_is_smaller(self, monkeypatch, ensemble):
        def full(*arguments, **options):
            raise RuntimeError("[enforce fail at alloc_cpu.cpp] . DefaultCPUAllocator: can't allocate memory")

        model = build(ensemble=ensemble) if ensemble else build()
        monkeypatch.setattr("sbicore.training.loop.mean_loss", full)
        monkeypatch.setattr("sbicore.training.stacked.mean_loss", full)
        with pytest.raises(TrainingError, match=r"(?s)a training step of 10 rows.*smaller batch_size.*checkpointing"):
            fit(model)
