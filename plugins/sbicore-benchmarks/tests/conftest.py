"""The simulators, and the published wheel or a skip that says why."""

import functools

import numpy as np
import pytest
import sbicore_benchmarks
import sbicore_diagnostics
from sbicore_benchmarks import study
from sbicore_benchmarks.published import fetch, published

from sbicore.errors import DataError

FACTS = {"steps": 14, "step_ms": 1.0, "training_seconds": 1.0, "evaluations": 20, "parameters": 9, "memory_mb": 1.0}
"""Of a training that did not happen."""


@pytest.fixture(scope="session")
def simulators():
    """All simulators by name."""
    configs = [getattr(sbicore_benchmarks, name)() for name in sbicore_benchmarks.__all__]
    return {config.name: config.build() for config in configs}


@pytest.fixture(scope="session")
def wheel():
    try:
        return fetch()
    except DataError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def references(wheel):
    """`published`, each file read once."""
    return functools.cache(published)


@pytest.fixture
def scored_roughly(monkeypatch):
    """Every C2ST is the fast one, of ten draws."""
    c2st = sbicore_diagnostics.c2st
    monkeypatch.setattr(sbicore_diagnostics, "c2st", lambda x, y, **_: c2st(x[:10], y[:10], method="fast"))


@pytest.fixture
def untrained(scored_roughly, monkeypatch):
    """Our trainings end at once and draw noise; peers run as they are."""
    run_job = study.run_job

    def quick(contender, job, arrays):
        if contender.settings["tool"] != "sbicore":
            return run_job(contender, job, arrays)
        count = len(arrays["observed"])
        draws = np.random.default_rng(job["seed"]).normal(size=(count, job["draws"], 2))
        return {**FACTS, "sampling_seconds": [1.0] * count}, draws.astype(np.float32)

    monkeypatch.setattr(study, "run_job", quick)
