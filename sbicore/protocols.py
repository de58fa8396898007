"""What modules of each kind must do. Structural: any object with these methods conforms.

`*` stands for leading (batch) axes; the last axis holds features. Time runs from data at
`t=0` to noise at `t=1`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from torch import Generator, Tensor

__all__ = [
    "Distribution",
    "InferenceNetwork",
    "Integrator",
    "NoiseSchedule",
    "ScoringRule",
    "Simulator",
    "Solution",
    "Subnet",
    "SummaryNetwork",
]


@runtime_checkable
class Subnet(Protocol):
    """The backbone of an inference network; states `out_features`."""

    out_features: int

    def __call__(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """Vector subnets: `(*, D), t (*), (*, C) -> (*, W)`; image subnets keep `(H, W)`.

        `t` has leading axes only; the result's leading axes are the broadcast of all three.
        """
        ...


@runtime_checkable
class SummaryNetwork(Protocol):
    """Turns structured data into a vector; states `out_features`."""

    out_features: int

    def __call__(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """`(*, ..., F) -> (*, S)`; masked entries have no effect."""
        ...


@runtime_checkable
class InferenceNetwork(Protocol):
    """A conditional distribution over targets, learnt from pairs."""

    def loss(
        self,
        targets: Tensor,
        conditions: Tensor | None,
        *,
        generator: Generator | None = None,
    ) -> Tensor:
        """Per-sample loss: `(B, *event), (B, C) -> (B,)`."""
        ...

    def sample(
        self,
        shape: Sequence[int],
        conditions: Tensor | None,
        *,
        generator: Generator | Sequence[Generator] | None = None,
        report: dict[str, Any] | None = None,
        **options: Any,
    ) -> Tensor:
        """Draws of leading `shape (R, S)`: `conditions (R, 1, C) -> (R, S, *event)`.

        A sequence of generators holds one for each of the R rows. `report` receives
        `evaluations` and `steps`.
        """
        ...


@runtime_checkable
class NoiseSchedule(Protocol):
    """A path from data to noise in terms of the log signal-to-noise ratio."""

    def log_snr(self, t: Tensor, *, training: bool = False) -> Tensor:
        """`(*) -> (*)`, strictly decreasing."""
        ...

    def t_from_log_snr(self, log_snr: Tensor, *, training: bool = False) -> Tensor:
        """The inverse of `log_snr`."""
        ...

    def alpha_sigma(self, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        """Scales of signal and noise."""
        ...


class Solution(Protocol):
    """What an integrator returns: `state`, and how often each row evaluated the field."""

    state: Tensor
    evaluations: Tensor
    steps: Tensor


@runtime_checkable
class Integrator(Protocol):
    """Solves `dx/dt = field(t, x)` from `t0` to `t1`, in either direction."""

    order: int

    def integrate(
        self,
        field: Callable[[Tensor, Any, Tensor | None], Any],
        x: Any,
        t0: float,
        t1: float,
        *,
        steps: int | str | None = None,
        rtol: float | None = None,
        atol: float | None = None,
    ) -> Solution:
        """`x (R, ...) -> state (R, ...)`, or tuples of those.

        `field(t, x, rows)`: with `rows=None` all rows share `t (1,)`; with per-row control `rows`
        holds the indices of the r active rows, `t` is `(r, 1)` and x holds those rows alone.
        """
        ...


@runtime_checkable
class ScoringRule(Protocol):
    """A proper score of estimates against targets; lower is better."""

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B, ...), (B, D) -> (B,)`."""
        ...


@runtime_checkable
class Distribution(Protocol):
    """A base distribution over events of a known rank (the last axis unless built otherwise)."""

    def sample(
        self,
        shape: Sequence[int],
        *,
        generator: Generator | Sequence[Generator] | None = None,
        like: Tensor | None = None,
    ) -> Tensor:
        """Draws of exactly this shape, event axes included; dtype and device of `like`."""
        ...

    def log_prob(self, x: Tensor) -> Tensor:
        """`(*, *event) -> (*)`."""
        ...


@runtime_checkable
class Simulator(Protocol):
    """Makes data sets."""

    def sample(self, n: int, *, seed: int | None = None) -> dict[str, np.ndarray]:
        """`n` rows of each variable, `(n, *event)`."""
        ...
