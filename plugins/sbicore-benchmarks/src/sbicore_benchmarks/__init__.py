"""Benchmark simulators, published reference posteriors and benchmark runners for sbicore."""

from .config import (
    SIR,
    SLCP,
    BernoulliGLM,
    BernoulliGLMRaw,
    GaussianLinear,
    GaussianLinearUniform,
    GaussianMixture,
    InverseKinematics,
    LotkaVolterra,
    SLCPDistractors,
    TwoMoons,
)

__all__ = [
    "SIR",
    "SLCP",
    "BernoulliGLM",
    "BernoulliGLMRaw",
    "GaussianLinear",
    "GaussianLinearUniform",
    "GaussianMixture",
    "InverseKinematics",
    "LotkaVolterra",
    "SLCPDistractors",
    "TwoMoons",
]
