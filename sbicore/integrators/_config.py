"""What the configs of the two families share: torch-free."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import IntegratorConfig, frozen
from ..fields import choice, integer

if TYPE_CHECKING:
    from ._adaptive import Adaptive
    from ._denoising import Denoising
    from ._fixed import FixedStep
    from ._stochastic import Scheme, StochasticSteps
    from ._tableau import Tableau

__all__ = ["AdaptiveConfig", "DenoisingConfig", "FixedStepConfig", "StochasticConfig"]


@frozen(kw_only=True)
class FixedStepConfig(IntegratorConfig):
    """A method of equal steps, solved by torchdiffeq.

    Class facts: `default_steps` is what `steps=None` means; `solver` is torchdiffeq's name.
    """

    default_steps: ClassVar[int]
    solver: ClassVar[str]

    def build(self) -> FixedStep:
        """Make the integrator; its `integrate` documents the contract."""
        from ._fixed import FixedStep

        return FixedStep(self.name, self.order, self.solver, self.default_steps)


@frozen(kw_only=True)
class StochasticConfig(IntegratorConfig):
    """A method of equal steps for additive noise; `step` is `sbicore.integrators._stochastic.Scheme`.

    Class fact: `default_steps` is what `steps=None` means.
    """

    stochastic: ClassVar[bool] = True
    default_steps: ClassVar[int]
    step: ClassVar[Scheme]

    def build(self) -> StochasticSteps:
        """Make the integrator; its `integrate` documents the contract."""
        from ._stochastic import StochasticSteps

        return StochasticSteps(self.name, self.order, self.step, self.default_steps)


@frozen(kw_only=True)
class DenoisingConfig(IntegratorConfig):
    """A method that is told the best guess of the data; `march` is that of `sbicore.integrators._denoising`.

    Class fact: `default_steps` is what `steps=None` means.
    """

    denoises: ClassVar[bool] = True
    default_steps: ClassVar[int]
    march: ClassVar[Any]

    def build(self) -> Denoising:
        """Make the integrator; its `integrate` documents the contract."""
        from ._denoising import Denoising

        return Denoising(self.name, self.order, self.march, self.default_steps)


@frozen(kw_only=True)
class AdaptiveConfig(IntegratorConfig):
    """An embedded Runge-Kutta pair that chooses its steps from an estimate of the error.

    Class facts: `default_rtol` and `default_atol` are the tolerances without `rtol=`, `atol=`.
    """

    adaptive: ClassVar[bool] = True
    default_rtol: ClassVar[float] = 1e-5
    default_atol: ClassVar[float] = 1e-6

    control: str = choice(
        "observation",
        options=("observation", "batch"),
        doc="Whose error sets the step: each observation its own, or all jointly (torchdiffeq).",
    )
    max_evaluations: int = integer(
        20_000, ge=1, doc="Most evaluations of the field per row; one more raises IntegrationError."
    )

    def build(self) -> Adaptive:
        """Make the integrator; its `integrate` documents the contract."""
        from ._adaptive import Adaptive

        return Adaptive(
            self.name,
            self.tableau(),
            joint=self.control == "batch",
            max_evaluations=self.max_evaluations,
            default_rtol=self.default_rtol,
            default_atol=self.default_atol,
        )

    def tableau(self) -> Tableau:
        """The method's coefficients: torchdiffeq's, unless a method states its own."""
        from ._tableau import from_torchdiffeq

        return from_torchdiffeq(self.name)
