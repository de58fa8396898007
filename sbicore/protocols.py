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
    "AnyIntegrator",
    "Brownian",
    "DenoisingIntegrator",
    "Distribution",
    "InferenceNetwork",
    "Integrator",
    "NoiseSchedule",
    "ScoringRule",
    "Simulator",
    "Solution",
    "StochasticIntegrator",
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

    def __call__(self, x: Any, mask: Any = None) -> Tensor:
        """Sets and series `(*, N, F)`, images `(*, H, W, C)`, `-> (*, S)`.

        `mask (*, N)` is True where an entry is there; the others have no effect. With the layout `named`, x is a
        dict of variables, and the mask one of the masks of some of them.
        """
        ...


@runtime_checkable
class InferenceNetwork(Protocol):
    """A conditional distribution over targets, learnt from pairs.

    All have `loss`; `capabilities` of the config name which of these a network has besides:
    `sample`, `compositional_sample(shape, items, ...)` like it (see `sbicore.composition`),
    `log_prob(targets (R, *, *event), conditions (R, *, C), *, generator, report, **options)
    -> (R, *)`, and `estimate(conditions (R, C)) -> {rule: {statistic: (R, ...)}}`, where R is 1
    without conditions. Optional: `plan(steps)`, which `fit` calls before its first step with the number of its steps;
    `comparable_losses = False` where losses of different steps do not compare, so that a fit keeps its last weights.
    """

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
    """A path from data to noise in terms of the log signal-to-noise ratio.

    `variance_preserving` says that alpha² + sigma² = 1. `training=True` asks for the law of the
    noise levels in training, where that differs from the one that samplers follow.
    """

    variance_preserving: bool

    def log_snr(self, t: Tensor, *, training: bool = False) -> Tensor:
        """`(*) -> (*)`, strictly decreasing."""
        ...

    def t_from_log_snr(self, log_snr: Tensor, *, training: bool = False) -> Tensor:
        """The inverse of `log_snr`."""
        ...

    def derivative(self, t: Tensor, *, training: bool = False) -> Tensor:
        """The derivative of `log_snr` in t: `(*) -> (*)`, negative."""
        ...

    def alpha_sigma(self, log_snr: Tensor) -> tuple[Tensor, Tensor]:
        """Scales of signal and noise, with `log_snr = 2 log(alpha / sigma)`."""
        ...

    def loss_weight(self, log_snr: Tensor) -> Tensor:
        """Weight of the loss at this noise level: `(*) -> (*)`, not negative."""
        ...


class Solution(Protocol):
    """What an integrator returns: `state`, and how often each row evaluated the field."""

    state: Tensor
    evaluations: Tensor
    steps: Tensor


@runtime_checkable
class Integrator(Protocol):
    """Solves `dx/dt = field(t, x)` from `t0` to `t1`, in either direction."""

    order: float

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

        `field(t, x, rows)`: x holds the r rows whose indices are `rows (r,)`, all of them where that is
        None; `t` is `(1,)` where they share the time, and `(r, 1)` where each has its own.
        """
        ...


class Brownian(Protocol):
    """A path of Brownian motion for each entry of the state, the same whenever it is asked."""

    def __call__(self, t0: float | Tensor, t1: float | Tensor) -> tuple[Tensor, Tensor]:
        """Increment `W` of variance `|t1 - t0|` and space-time Lévy area `H` of variance `|t1 - t0| / 12`.

        `H` is the mean of the path over the interval, relative to its start, less `W / 2`; it is
        independent of `W` (arXiv:2210.17543, section 1). Both have the shape of the state. Times are numbers, or
        `(R,)` tensors on the CPU where each row has its own.
        """
        ...


@runtime_checkable
class StochasticIntegrator(Protocol):
    """Solves `dx = drift(t, x) dt + diffusion(t) dW` from `t0` to `t1`, in either direction."""

    order: float

    def integrate(
        self,
        field: Callable[[Tensor, Any, Tensor | None], Any],
        x: Any,
        t0: float,
        t1: float,
        *,
        diffusion: Callable[[Tensor], Tensor],
        brownian: Brownian,
        steps: int | str | None = None,
    ) -> Solution:
        """As `Integrator.integrate`; `field` is the drift, `diffusion(t (1,)) -> (1,)`."""
        ...


@runtime_checkable
class DenoisingIntegrator(Protocol):
    """Carries `y = (1 - t) x + t e` of data x and noise e from `t0` to `t1 < t0`, told the expected x.

    So methods can use that `dy/dt = (y - x) / t` is linear in y, or draw noise of their own.
    """

    order: float

    def integrate(
        self,
        denoiser: Callable[[Tensor, Any, Tensor | None], Any],
        x: Any,
        t0: float,
        t1: float,
        *,
        noise: Callable[[], Tensor] | None = None,
        steps: int | str | None = None,
    ) -> Solution:
        """As `Integrator.integrate`; `denoiser(t, y, rows)` has the place of the field.

        `noise()` makes standard normal numbers like the state, for those that are `stochastic`.
        """
        ...


AnyIntegrator = Integrator | StochasticIntegrator | DenoisingIntegrator


@runtime_checkable
class ScoringRule(Protocol):
    """A proper score of estimates against targets; lower is better.

    Optional: `summarize(draws (N, *event)) -> estimates` without leading axes, the statistics that
    the rule elicits, computed from draws. `statistics`, `{statistic: kind}`, which approximators need:
    how each follows a change of variables, `affine`, `monotone`, `quantiles`, `factor` or `free`.
    Parametric rules, whose config has these capabilities, have
    `sample(shape, estimates, *, generator) -> (*shape, *event)`, where the leading axes of the estimates
    broadcast to `shape`, and `log_prob(estimates, targets) -> (B,)`.
    """

    def heads(self, target: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
        """Shapes of the raw outputs it needs, without leading axes, for targets of this event shape."""
        ...

    def link(self, raw: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Estimates from raw outputs: `{head: (B, *head)} -> {statistic: (B, ...)}`."""
        ...

    def score(self, estimates: Mapping[str, Tensor], targets: Tensor) -> Tensor:
        """`(B, ...), (B, *event) -> (B,)`."""
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
