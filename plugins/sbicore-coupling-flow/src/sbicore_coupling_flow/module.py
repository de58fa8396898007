"""The coupling flow: training, draws, densities.

`log p(x | c) = log p_base(z) + log |det dz/dx|` with `z = f(x; c)` (arXiv:1605.08803, eq. 3); draws are `f^-1(z; c)` of
draws z from the base.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Generator, Tensor, nn

from sbicore.backbone import check_conditions
from sbicore.errors import ConfigError, ShapeError
from sbicore.shapes import Shapes

from .actnorm import ActNorm
from .affine import Affine
from .config import CouplingFlow, SampleOptions
from .coupling import DualCoupling
from .permutation import PERMUTATIONS
from .spline import Spline

__all__ = ["CouplingFlowModule"]

_TRANSFORMS: dict[str, Any] = {"affine": Affine, "spline": Spline}


class CouplingFlowModule(nn.Module):
    """The inference network behind `CouplingFlow`. See `sbicore.protocols.InferenceNetwork`."""

    def __init__(self, config: CouplingFlow, shapes: Shapes) -> None:
        super().__init__()
        if len(shapes.target) != 1:
            raise ShapeError(
                f"'coupling_flow' is made for vectors; this target has shape {shapes.target}.\n"
                "Flatten it, or choose a network for images such as 'flow_matching' with an image subnet.",
                expected=("D",),
                got=shapes.target,
            )
        check_conditions(config.subnet, shapes)
        self.config = config
        self.event = shapes.target
        self.flow = Flow(_layers(config, shapes.target[0], shapes.conditions))
        self.base = config.base_distribution.build(shapes)
        if not callable(getattr(self.base, "log_prob", None)):
            raise ConfigError(
                f"{config.base_distribution.name!r} has no density, with which a coupling flow is trained\n"
                "Choose for instance base_distribution='normal'."
            ).within("base_distribution")

    def loss(self, targets: Tensor, conditions: Tensor | None, *, generator: Generator | None = None) -> Tensor:
        """Negative log density: `(B, D), (B, C) -> (B,)`."""
        return -self._log_density(targets, conditions)

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws `(R, S, D)` for `conditions (R, 1, C)`."""
        given: SampleOptions = self.config.sample_options(**options)  # type: ignore[assignment]
        x = self.base.sample((*shape, *self.event), generator=generator, like=next(self.parameters()))
        with torch.autocast(x.device.type, torch.bfloat16, enabled=given.precision == "bfloat16"):
            x = self.flow.inverse(x, conditions)
        _fill(report, shape[0], x.device)
        return x

    def log_prob(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        report: dict[str, Any] | None = None,
        generator: Generator | Sequence[Generator] | None = None,
        **options: Any,
    ) -> Tensor:
        """Log density `(R, *, D), (R, *, C) -> (R, *)`."""
        self.config.log_prob_options(**options)
        _fill(report, len(targets), targets.device)
        return self._log_density(targets, conditions)

    def _log_density(self, x: Tensor, conditions: Tensor | None) -> Tensor:
        z, log_det = self.flow(x, conditions) if self.flow.is_settled else self.flow.forward(x, conditions)
        return self.base.log_prob(z) + log_det


class Flow(nn.Module):
    """All layers, compiled as one piece once the first batch has set what it sets."""

    compiled_whole = True

    def __init__(self, layers: Iterable[nn.Module]) -> None:
        super().__init__()
        self.layers: Any = nn.ModuleList(layers)

    @property
    def is_settled(self) -> bool:
        """Whether no layer will look at the batch; always so outside training."""
        return not self.training or all(getattr(layer, "is_settled", True) for layer in self.layers)

    def forward(self, x: Tensor, conditions: Tensor | None) -> tuple[Tensor, Tensor]:
        """`z (*, D)` and the log determinant `(*)`."""
        total: Any = 0.0
        for layer in self.layers:
            x, log_det = layer(x, conditions)
            total = total + log_det
        return x, total

    def inverse(self, z: Tensor, conditions: Tensor | None) -> Tensor:
        """`x` from `z`."""
        for layer in reversed(self.layers):
            z = layer.inverse(z, conditions)
        return z


def _layers(config: CouplingFlow, size: int, conditions: tuple[int, ...] | None) -> Iterator[nn.Module]:
    for _ in range(config.depth):
        if config.use_actnorm:
            yield ActNorm(size)
        if config.permutation is not None and size > 1:
            yield PERMUTATIONS[config.permutation](size)
        yield DualCoupling(config.subnet, _TRANSFORMS[config.transform](config.transform_options()), size, conditions)


def _fill(report: dict[str, Any] | None, rows: int, device: torch.device) -> None:
    """One pass for each row."""
    if report is not None:
        report["evaluations"] = report["steps"] = torch.ones(rows, dtype=torch.long, device=device)
