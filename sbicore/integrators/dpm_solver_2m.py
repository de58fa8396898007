"""DPM-Solver++ of order 2 with two steps' memory."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any, ClassVar

from ..config import frozen
from ..references import Reference
from ._config import DenoisingConfig

__all__ = ["DPMSolver2M"]


@frozen(kw_only=True)
class DPMSolver2M(DenoisingConfig):
    """DPM-Solver++(2M): order 2, one evaluation a step (arXiv:2211.01095, algorithm 2).

    The guess of the data is extrapolated from this step's and the last one's, linearly in the logarithm of the noise;
    what remains of the equation is linear and solved exactly.
    """

    name: ClassVar[str] = "dpm_solver_2m"
    order: ClassVar[float] = 2.0
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Lu, Cheng and Zhou, Yuhao and Bao, Fan and Chen, Jianfei and Li, Chongxuan and Zhu, Jun",
            title="DPM-Solver++: Fast Solver for Guided Sampling of Diffusion Probabilistic Models",
            year=2022,
            venue="arXiv preprint",
            arxiv="2211.01095",
        ),
    )
    default_steps: ClassVar[int] = 20

    def march(self, denoise: Any, x: Any, sigmas: list[float], noise: Any) -> Any:
        """See `DenoisingConfig`."""
        last = before = None
        for sigma, then in pairwise(sigmas):
            found = guess = denoise(sigma, x)
            if then == 0:
                return guess
            h = math.log(sigma / then)
            if last is not None and before is not None:
                guess = guess + h / (2 * before) * (guess - last)
            x = then / sigma * x + (1 - then / sigma) * guess
            last, before = found, h
        return x
