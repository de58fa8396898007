"""The loop: schedule, skipped steps, best weights, interruption, determinism, no host sync."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import sbicore
from sbicore.errors import ConfigError, DataError, DataWarning, TrainingError, TrainingWarning


def linear(rows=600, seed=0):
    rng = np.random.default_rng(seed)
    theta = rng.normal(size=(rows, 2))
    return {"theta": theta, "x": theta + 0.5 * rng.normal(size=(rows, 2))}


def small(subnet_kwargs=None, **arguments):
    return sbicore.build(
        "flow_matching",
        subnet_kwargs=subnet_kwargs or {"widths": [16, 16]},
        inference_variables=["theta"],
        inference_conditions=["x"],
        **arguments,
    )


def quick(model, data=None, **options):
    settings = {"epochs": 3, "batch_size": 64, "seed": 1, "progress": False, **options}
    return model.fit(linear() if data is None else data, **settings)


def test_the_history_has_one_entry_an_epoch():
    history = quick(small())
    assert len(history.loss) == len(history.val_loss) == len(history.seconds) == 3
    assert history.steps == 3 * (540 // 64)
    assert history.stopped == "completed"
    assert history.loss[-1] < history.loss[0]


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_same_seed_gives_the_same_weights_whatever_the_global_state(dropout):
    states = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        model = small(subnet_kwargs={"widths": [16, 16], "dropout": dropout})
        quick(model)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_torch_manual_seed_alone_makes_a_script_reproducible():
    losses = []
    for _ in range(2):
        torch.manual_seed(5)
        losses.append(quick(small(), seed=None).loss)
    assert losses[0] == losses[1]


def test_fit_leaves_the_global_random_state_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    quick(small(), seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_the_learning_rate_rises_then_falls_to_zero():
    model = small()
    rates = []
    quick(model, epochs=40, callbacks=[lambda _, event: rates.append(event.history.learning_rate[-1:])])
    values = model.history.learning_rate
    assert max(values) == pytest.approx(5e-4, rel=0.1)
    assert values[-1] < 5e-6
    assert values[0] < max(values)


def test_the_best_epoch_is_restored():
    model = small()
    kept = []

    def ruin_after_first_epoch(approximator, event):
        if event.kind == "epoch" and event.epoch == 1:
            kept.extend(p.detach().clone() for p in approximator.network.parameters())
            with torch.no_grad():
                for parameter in approximator.network.parameters():
                    parameter.add_(0.5)

    history = quick(model, callbacks=[ruin_after_first_epoch], ema_decay=0.0)
    assert history.best_epoch == 0
    assert all(torch.equal(a, b) for a, b in zip(kept, model.network.parameters(), strict=True))


def test_losses_that_do_not_compare_keep_the_last_weights_and_refuse_patience():
    model, last = small(), []

    def ruin(approximator, event):
        if event.kind == "epoch":
            last[:] = [p.detach().clone() for p in approximator.network.parameters()]
            with torch.no_grad():
                for parameter in approximator.network.parameters():
                    parameter.add_(0.5 * (event.epoch < 3))

    quick(model, epochs=1)
    model.network.comparable_losses = False
    history = quick(model, epochs=3, callbacks=[ruin], ema_decay=0.0)
    assert history.val_loss[-1] > history.val_loss[0] and history.best_epoch == 3
    assert all(torch.equal(a, b) for a, b in zip(last, model.network.parameters(), strict=True))
    with pytest.raises(ConfigError, match="do not compare between steps"):
        quick(model, patience=2)


def test_patience_stops_early_and_says_so():
    model = small()

    def ruin(approximator, event):
        with torch.no_grad():
            for parameter in approximator.network.parameters():
                parameter.add_(0.3)

    history = quick(model, epochs=50, patience=2, callbacks=[ruin], ema_decay=0.0)
    assert history.stopped == "patience"
    assert len(history.loss) < 10


def test_a_callback_can_stop_the_fit():
    history = quick(small(), callbacks=[lambda _, event: event.stop()])
    assert history.stopped == "callback"
    assert len(history.loss) == 1


def test_interruption_keeps_weights_and_history():
    model = small()

    def interrupt(_, event):
        if event.kind == "epoch" and event.epoch == 2:
            raise KeyboardInterrupt

    with pytest.warns(TrainingWarning, match="interrupted after 2 epochs; the best weights so far are kept"):
        history = quick(model, callbacks=[interrupt])
    assert history.stopped == "interrupted"
    model.network.comparable_losses = False
    with pytest.warns(
        TrainingWarning, match="interrupted after 4 epochs; the averaged weights of that moment are kept"
    ):
        quick(model, callbacks=[interrupt])
    assert model.sample({"x": [0.0, 0.0]}, 3, seed=1, progress=False)["theta"].shape == (1, 3, 2)


def test_single_bad_steps_are_skipped_and_counted():
    model = small()
    model.build({"theta": (2,), "x": (2,)}, seed=1)
    inner, calls = model.network.loss, []

    def sometimes_nan(*arguments, **keywords):
        calls.append(1)
        loss = inner(*arguments, **keywords)
        return loss * float("nan") if len(calls) % 5 == 2 else loss

    model.network.loss = sometimes_nan
    with pytest.warns(TrainingWarning, match="skipped because loss or gradient was not finite"):
        history = quick(model)
    assert 0 < history.skipped_steps < history.steps
    assert all(np.isfinite(history.loss))
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_a_fit_without_any_finite_step_is_an_error():
    model = small()
    model.build({"theta": (2,), "x": (2,)}, seed=1)
    inner = model.network.loss
    model.network.loss = lambda *a, **k: inner(*a, **k) * float("nan")
    with pytest.raises(TrainingError, match="None of .* training steps had a finite loss"):
        quick(model)
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_divergence_ends_the_fit_with_the_last_good_weights():
    model = small()
    model.build({"theta": (2,), "x": (2,)}, seed=1)
    inner, calls = model.network.loss, []

    def diverges(*arguments, **keywords):
        calls.append(1)
        return inner(*arguments, **keywords) * (float("nan") if len(calls) > 20 else 1.0)

    model.network.loss = diverges
    with pytest.warns(TrainingWarning, match="training stopped and the best weights so far are kept"):
        history = quick(model, epochs=60)
    assert history.stopped == "diverged"
    assert len(history.loss) < 40


def test_a_second_fit_goes_on_with_the_frozen_standardiser():
    model = small()
    quick(model)
    mean = model.standardizers["inference_variables"].mean.clone()
    shifted = {name: value + 3 for name, value in linear(seed=2).items()}
    history = quick(model, shifted)
    assert torch.equal(mean, model.standardizers["inference_variables"].mean)
    assert len(history.loss) == 6


def test_moments_come_from_the_training_split_only():
    data = linear(100)
    model = small()
    quick(model, data, epochs=1, validation_data={name: value + 1e6 for name, value in linear(50, 1).items()})
    assert torch.allclose(model.standardizers["inference_variables"].mean, torch.tensor(data["theta"]).mean(0))


def test_constant_features_are_left_unscaled_with_a_warning():
    data = linear()
    data["x"][:, 1] = 7.0
    with pytest.warns(DataWarning, match=r"1 constant feature.*x\[1\]"):
        quick(small(), data)


def test_fewer_rows_than_a_batch_is_said():
    with pytest.warns(DataWarning, match="18 training rows are fewer than batch_size=64"):
        history = quick(small(), linear(20))
    assert history.steps == 3


def test_a_batch_of_one_row_trains():
    quick(small(), linear(40), batch_size=1, epochs=1)


def test_a_weighted_fit_ignores_rows_of_weight_zero():
    data = linear(2000)
    spoilt = {name: np.concatenate([value, 50 + value]) for name, value in data.items()}
    spoilt["sample_weight"] = np.r_[np.ones(2000), np.zeros(2000)]
    model = small(standardize=None)
    quick(model, spoilt, epochs=30)
    draws = model.sample({"x": [1.0, 1.0]}, 500, seed=1, progress=False)["theta"]
    assert abs(draws.mean() - 0.8) < 0.3


def test_a_step_never_waits_for_the_device():
    class NoSync(TorchDispatchMode):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            if function is torch.ops.aten._local_scalar_dense.default:
                raise AssertionError("a training step read a value back")
            return function(*args, **(kwargs or {}))

    from sbicore.training import loop

    model = small()
    inner = loop.Fit.learn

    def watched(self, batch):
        with NoSync():
            return inner(self, batch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop.Fit, "learn", watched)
        quick(model, epochs=1)


def test_online_training_uses_fresh_rows_and_validates_on_the_pilot():
    def prior(rng):
        return {"theta": rng.normal(size=2)}

    def observe(theta, rng):
        return {"x": theta + 0.5 * rng.normal(size=2)}

    model = small()
    history = model.fit(
        sbicore.make_simulator([prior, observe]),
        epochs=2,
        num_batches_per_epoch=5,
        batch_size=32,
        seed=1,
        progress=False,
    )
    assert history.steps == 10
    assert len(history.val_loss) == 2


def test_an_iterable_of_batches_is_streamed_anew_each_epoch():
    data = linear(256)
    batches = [{name: value[i : i + 50] for name, value in data.items()} for i in range(0, 256, 50)]
    history = quick(small(), batches, epochs=4, batch_size=64)
    assert history.steps == 4 * (256 // 64)


def test_a_one_shot_iterator_is_gathered():
    data = linear(256)
    history = quick(small(), ({name: value[i : i + 64] for name, value in data.items()} for i in range(0, 256, 64)))
    assert history.steps == 3 * (230 // 64)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_sise": 3}, "batch_size"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"compile": "yes"}, "compile"),
        ({"callbacks": [3]}, "callbacks"),
    ],
)
def test_misspelt_or_impossible_options_fail_before_any_work(options, words):
    with pytest.raises(ConfigError, match=words):
        quick(small(), **options)


@pytest.mark.parametrize("data", [3, "theta", None])
def test_what_cannot_be_trained_on_is_named(data):
    with pytest.raises(DataError, match="fit cannot train on"):
        small().fit(data, epochs=1)


def test_compiled_training_equals_eager_training():
    losses = [quick(small(), compile=mode).loss for mode in (False, True)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_a_failing_compiler_leaves_a_finished_eager_fit(monkeypatch):
    def broken(*arguments, **keywords):
        def call(*a, **k):
            raise RuntimeError("no compiler here")

        return call

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.warns(TrainingWarning, match="torch.compile failed"):
        history = quick(small(), compile=True)
    assert history.stopped == "completed"
    assert not history.compiled


def test_importing_and_fitting_leave_torch_as_it_was():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quick(small())
    assert torch.is_grad_enabled()
    assert torch.get_default_dtype() == torch.float32
    assert not torch.cuda.is_initialized()


@pytest.mark.parametrize(("clip", "norm"), [(1e-3, 1e-3), (0.5, 0.5)])
def test_gradients_are_clipped_to_the_norm_that_is_asked_for(monkeypatch, clip, norm):
    """After one step AdamW's first moment is the clipped gradient times 1 - beta1."""
    from sbicore.training import loop

    fits = []
    inner = loop.Fit.learn
    monkeypatch.setattr(loop.Fit, "learn", lambda self, batch: (fits.append(self), inner(self, batch))[1])
    quick(small(), linear(70), epochs=1, clip_norm=clip, batch_size=63)
    state = next(iter(fits[0].optimizer.state.values()))
    assert float(state["exp_avg"].norm()) == pytest.approx(0.1 * norm, rel=1e-3)
