"""The published files are read as they are, and agree with our simulator."""

import shutil
import subprocess
import zipfile

import numpy as np
import pytest
from sbicore_benchmarks import TwoMoons, published as module
from sbicore_benchmarks.published import TASKS, WHEEL, fetch, published

from sbicore.errors import DataError

SIMULATOR = TwoMoons().build()


@pytest.fixture
def no_pip(monkeypatch):
    """A machine without a connection."""
    failed = subprocess.CompletedProcess([], 1, stdout="", stderr="WARNING: retrying\nERROR: no connection\n")
    monkeypatch.setattr(module.subprocess, "run", lambda *args, **kwargs: failed)


@pytest.fixture
def empty_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("SBICORE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.mark.parametrize("observation", range(1, 11))
def test_published_draws_are_draws_from_our_exact_posterior(wheel, observation):
    observable, true_parameters, draws = published("two_moons", observation)
    assert (observable.shape, true_parameters.shape, draws.shape) == ((2,), (2,), (10_000, 2))
    assert draws.dtype == observable.dtype == np.float32
    assert SIMULATOR.log_likelihood(true_parameters, observable) > -3.0

    exact = SIMULATOR.posterior(observable, 10_000, np.random.default_rng(observation))
    theirs, ours = (SIMULATOR.posterior_log_prob(d, observable) for d in (draws, exact))
    assert np.isfinite(theirs).all()
    assert abs(theirs.mean() - ours.mean()) < 5 * np.sqrt((theirs.var() + ours.var()) / 10_000)
    error = np.sqrt((draws.var(axis=0) + exact.var(axis=0)) / 10_000)
    assert (np.abs(draws.mean(axis=0) - exact.mean(axis=0)) < 5 * error).all()


@pytest.mark.parametrize("observation", [1, 10])
def test_a_classifier_cannot_tell_published_from_exact_draws(wheel, observation):
    from sbicore_diagnostics import c2st

    observable, _, draws = published("two_moons", observation)
    exact = SIMULATOR.posterior(observable, 4000, np.random.default_rng(0))
    assert 0.47 < c2st(exact, draws[:4000]) < 0.53


@pytest.mark.parametrize("task", TASKS)
def test_what_is_published_fits_the_simulator(task, simulators, references):
    simulator = simulators[task]
    observable, true_parameters, draws = references(task, 3)
    assert observable.shape == (len(simulator.observable_names),)
    assert true_parameters.shape == draws.shape[1:] == (len(simulator.parameter_names),)
    assert len(draws) == 10_000
    assert draws.dtype == observable.dtype == true_parameters.dtype == np.float32
    assert np.isfinite(simulator.prior_log_prob(draws)).all()


@pytest.mark.parametrize("task", ["two_moon", "SLCP_distractors", "two_moons "])
def test_an_unknown_task_is_refused_with_a_close_name(task):
    with pytest.raises(DataError, match=rf"a task {task!r}; did you mean '\w+'\?\nTasks: .*, two_moons"):
        published(task, 1)


def test_a_task_without_references_is_refused():
    with pytest.raises(DataError, match="Nothing is published for a task 'inverse_kinematics'"):
        published("inverse_kinematics", 1)


@pytest.mark.parametrize("observation", [0, 11, -1, 1.5, 1.0, "1", None])
def test_an_observation_that_is_not_there_is_refused(observation):
    with pytest.raises(DataError, match=rf"no observation {observation!r} of 'two_moons'.*\n.*give 1 to 10"):
        published("two_moons", observation)


def test_a_filled_cache_needs_no_connection(wheel, empty_cache, no_pip):
    empty_cache.mkdir()
    shutil.copy(wheel, empty_cache / WHEEL)
    assert published("two_moons", 1).draws.shape == (10_000, 2)


def test_without_cache_and_connection_the_error_says_what_to_type(empty_cache, no_pip):
    with pytest.raises(DataError, match=r"(?s)is missing.*no connection.*pip download sbibm==1\.1\.0 --no-deps"):
        fetch()


def test_a_file_with_another_digest_is_never_read(empty_cache, no_pip):
    empty_cache.mkdir()
    with zipfile.ZipFile(empty_cache / WHEEL, "w") as forged:
        forged.writestr("sbibm/tasks/two_moons/files/num_observation_1/observation.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match=r"(?s)is damaged \(another checksum\).*no connection.*--no-deps"):
        published("two_moons", 1)


def test_a_truncated_file_is_never_read(wheel, empty_cache, no_pip):
    empty_cache.mkdir()
    (empty_cache / WHEEL).write_bytes(wheel.read_bytes()[:-1])
    with pytest.raises(DataError, match="is damaged"):
        published("two_moons", 1)
