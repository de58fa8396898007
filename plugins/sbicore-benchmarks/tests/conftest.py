"""The published wheel, or a skip that says why."""

import pytest
from sbicore_benchmarks.published import fetch

from sbicore.errors import DataError


@pytest.fixture(scope="session")
def wheel():
    try:
        return fetch()
    except DataError as error:
        pytest.skip(str(error))
