"""The published wheel, or a skip that says why."""

import pytest

from sbicore.errors import DataError
from sbicore_benchmarks.published import fetch


@pytest.fixture(scope="session")
def wheel():
    try:
        return fetch()
    except DataError as error:
        pytest.skip(str(error))
