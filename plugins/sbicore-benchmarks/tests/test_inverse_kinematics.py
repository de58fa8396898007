"""Inverse kinematics at positions that can be drawn by hand."""

import numpy as np
import pytest
from sbicore_benchmarks import InverseKinematics

SIMULATOR = InverseKinematics().build()
RIGHT = np.pi / 2


@pytest.mark.parametrize(
    ("theta", "end"),
    [
        ((0.0, 0.0, 0.0, 0.0), (0.0, 2.0)),
        ((0.3, 0.0, 0.0, 0.0), (0.3, 2.0)),
        ((0.0, RIGHT, 0.0, 0.0), (2.0, 0.0)),
        ((0.0, 0.0, RIGHT, 0.0), (1.5, 0.5)),
        ((0.0, 0.0, 0.0, RIGHT), (1.0, 1.0)),
        ((0.0, RIGHT, -RIGHT, -RIGHT), (-0.5, 0.5)),
    ],
)
def test_the_arm_ends_where_it_should(theta, end):
    assert SIMULATOR.simulate(theta, np.random.default_rng(0)) == pytest.approx(end, abs=1e-6)


def test_there_is_no_likelihood():
    assert not hasattr(SIMULATOR, "log_likelihood")
