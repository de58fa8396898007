"""What is asked of subnets beyond what holds for every module."""

from __future__ import annotations

from typing import Any

import torch

from ._cases import cases
from ._check import require

ROWS, DRAWS = 3, 5


def check_shared(config: Any) -> None:
    """A shared `t (1,)` and `conditions (R, 1, C)` give the same numbers as full ones, in float64."""
    for case in cases(config):
        module, full = case.make().double(), case.inputs((ROWS, DRAWS), torch.float64)
        shared = full | {k: v.flatten()[:1] if k == "t" else v[:, :1] for k, v in full.items() if k != "x"}
        full |= {k: v.expand_as(full[k]) for k, v in shared.items()}
        close = torch.allclose(module(**shared), module(**full), rtol=1e-5, atol=1e-5)
        require(close, f"{case}: they differ")


CHECKS = (check_shared,)
