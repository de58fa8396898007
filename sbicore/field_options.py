"""Options of draws and densities by a field, for networks that are a `sbicore.continuous_flow.ContinuousFlow`."""

from __future__ import annotations

from .config import frozen
from .errors import ConfigError
from .fields import choice, integer, number
from .solver import SolverOptions

__all__ = ["CompositionOptions", "DensityOptions", "DrawOptions", "FieldOptions", "SampleOptions"]


@frozen(kw_only=True)
class FieldOptions(SolverOptions):
    """Options of whatever solves along the field."""

    guidance_strength: float = number(
        1.0,
        doc="0 leaves the conditions out, 1 is the posterior, more sharpens; needs drop_cond_prob (arXiv:2207.12598).",
    )


@frozen(kw_only=True)
class DrawOptions(FieldOptions):
    """Options of whatever draws."""

    precision: str = choice(
        "float32", options=("float32", "bfloat16"), doc="Of the subnet's matrix products; bfloat16 has three digits."
    )


@frozen(kw_only=True)
class SampleOptions(DrawOptions):
    """Options of `sample`, with those of its `constraints`."""

    constraint_strength: float = number(1.0, ge=0.0, doc="Factor of the constraints' part of the score, in a guide.")
    constraint_guide: str = choice(
        "auto",
        options=("auto", "rejection", "probability", "softplus"),
        doc="How constraints are kept: draws that break them are made again; or they are led by a part of the score, "
        "the gradient of the probability that they hold, exact for normal posteriors and half-spaces, or the usual "
        "one, whose draws are shifted. `auto` leads where less than a twentieth would hold.",
    )


@frozen(kw_only=True)
class CompositionOptions(DrawOptions):
    """Options of `compositional_sample`: those of `sample`, and how posteriors are put together."""

    correction: str = choice(
        "gauss",
        options=("gauss", "none"),
        doc="Of the product of the items' posteriors at each noise level: by their covariances (arXiv:2404.07593), or "
        "none, the sum of the scores (arXiv:2209.14249).",
    )
    covariance_draws: int = integer(1000, ge=10, doc="Draws for each item that tell its posterior's covariance.")
    mini_batch_size: int | None = integer(
        None,
        ge=1,
        optional=True,
        doc="Items in each evaluation, chosen anew (arXiv:2505.14429); normal laws stand for the others. None: all.",
    )
    compositional_bridge_d0: float = number(
        1.0, gt=0.0, doc="Power of each item's likelihood at the data (arXiv:2505.14429); 1 is the posterior."
    )
    compositional_bridge_d1: float = number(1.0, gt=0.0, doc="The same at the noise, for instance 1 / n.")

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.guidance_strength != 1.0:
            raise ConfigError(
                f"guidance_strength={self.guidance_strength:g} and composition do not go together\nLeave it out."
            ).within("guidance_strength")


@frozen(kw_only=True)
class DensityOptions(FieldOptions):
    """Options of `log_prob`."""

    hutchinson: int | None = integer(
        None,
        ge=1,
        optional=True,
        doc="Random probes that estimate the trace (arXiv:1810.01367); None computes it exactly.",
    )

    def __attrs_post_init__(self) -> None:
        super().__attrs_post_init__()
        if self.method is not None and (self.method.stochastic or self.method.denoises):
            raise ConfigError(
                f"{self.method.name!r} draws, and does not solve the equation that a density needs\n"
                "Give log_prob a method for ordinary equations, for instance 'dopri5', or none."
            ).within("method")
