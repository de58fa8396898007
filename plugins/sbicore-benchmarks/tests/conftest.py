"""The simulators, and the published wheel or a skip that says why."""

import functools

import pytest
import sbicore_benchmarks
from sbicore_benchmarks.published import fetch, published

from sbicore.errors import DataError


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
