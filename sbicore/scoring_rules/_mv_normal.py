"""The multivariate normal as a scoring rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Generator, Tensor
from torch.nn.functional import softplus

from ..errors import ConfigError
from ..randomness import randn

__all__ = ["MvNormalRule"]

_UNIT = math.log(math.e - 1)
"""softplus(_UNIT) = 1."""
_LEAST = 1e-5


class MvNormalRule:
    """`scale` is the Cholesky factor L of the covariance `L L'`."""

    def __init__(self) -> None:
        self.statistics = {"loc": "affine", "scale": "factor"}

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """D numbers, and a triangle of D (D + 1) / 2.

        Raises:
            ConfigError: targets that are no vectors.
        """
        if len(target) != 1:
            raise ConfigError(
                f"a multivariate normal has targets (D,), got {target}\nTake the rules mean and quantile."
            )
        return {"loc": target, "scale": (target[0] * (target[0] + 1) // 2,)}

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The triangle filled in, with a positive diagonal."""
        loc, flat = raw["loc"], raw["scale"]
        size = loc.shape[-1]
        rows, columns = torch.tril_indices(size, size, -1, device=flat.device)
        below = flat.new_zeros(*flat.shape[:-1], size * size)
        below = below.index_copy(-1, rows * size + columns, flat[..., size:]).unflatten(-1, (size, size))
        return {"loc": loc, "scale": below + torch.diag_embed(softplus(flat[..., :size] + _UNIT) + _LEAST)}

    def log_prob(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B,)`."""
        loc, scale = estimates["loc"], estimates["scale"]
        white = torch.linalg.solve_triangular(scale, (targets - loc).unsqueeze(-1), upper=False).squeeze(-1)
        log_det = scale.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return -0.5 * (white.square().sum(-1) + loc.shape[-1] * math.log(2 * math.pi)) - log_det

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """Minus the log density."""
        return -self.log_prob(estimates, targets)

    def sample(
        self,
        shape: Sequence[int],
        estimates: Mapping[str, Tensor],
        *,
        generator: Generator | Sequence[Generator] | None = None,
    ) -> Tensor:
        """`(*shape, D)`."""
        loc, scale = estimates["loc"], estimates["scale"]
        noise = randn((*shape, loc.shape[-1]), generator, loc)
        return loc + (scale @ noise.unsqueeze(-1)).squeeze(-1)
