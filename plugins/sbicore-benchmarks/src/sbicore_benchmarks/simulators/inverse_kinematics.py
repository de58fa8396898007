"""Inverse kinematics: where an arm of three segments ends. Without noise, so there is no likelihood."""

from __future__ import annotations

import numpy as np

from ._base import BenchmarkSimulator
from ._priors import Array, Normal

SCALES = np.array([0.25, 0.5, 0.5, 0.5])
LENGTHS = np.array([0.5, 0.5, 1.0])


class InverseKinematicsSimulator(BenchmarkSimulator):
    """Prior and simulator of inverse_kinematics; draws are judged by simulating them again."""

    name = "inverse_kinematics"
    parameter_names = ("height", "angle_1", "angle_2", "angle_3")
    observable_names = ("x_1", "x_2")
    _prior = Normal(np.zeros(4), np.diag(SCALES))

    def _simulate(self, parameters: Array, rng: np.random.Generator) -> Array:
        angles = parameters[..., 1:].cumsum(axis=-1)
        return np.stack([parameters[..., 0] + np.sin(angles) @ LENGTHS, np.cos(angles) @ LENGTHS], axis=-1)
