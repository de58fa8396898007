"""The noise levels of EDM: log-normal in training, a power law in sampling."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import NoiseScheduleConfig, frozen
from ..errors import ConfigError
from ..fields import choice, number
from ..references import Reference

if TYPE_CHECKING:
    from ._edm import EDM

__all__ = ["EDMNoiseSchedule"]


@frozen(kw_only=True)
class EDMNoiseSchedule(NoiseScheduleConfig):
    """Noise of log-normal scale in training, of the power law with rho = 7 in sampling.

    With `sigma = exp(-log_snr / 2)`, the noise per unit of signal: `ln sigma ~ N(-1.2, 1.2²)` in training, and
    `sigma(t)^(1/7)` linear in t from `sigma_min` to `sigma_max` in sampling (table 1 and eq. 5 of the reference). The
    loss on the noise is weighted by `1 + sigma² / sigma_data²`, which gives the network's own target unit weight.
    """

    name: ClassVar[str] = "edm"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli",
            title="Elucidating the Design Space of Diffusion-Based Generative Models",
            year=2022,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2206.00364",
        ),
    )

    sigma_data: float = number(1.0, gt=0, doc="Standard deviation of the targets, which are standardised.")
    sigma_min: float = number(1e-4, gt=0, doc="Noise per signal at t = 0, in sampling.")
    sigma_max: float = number(80.0, gt=0, doc="Noise per signal at t = 1, in sampling.")
    variance_type: str = choice(
        "preserving",
        options=("preserving", "exploding"),
        doc="Whether signal and noise share a variance of 1, or the noise is added to the signal.",
    )

    def __attrs_post_init__(self) -> None:
        if not self.sigma_min < self.sigma_max:
            raise ConfigError(
                f"sigma_min={self.sigma_min:g} must be below sigma_max={self.sigma_max:g}\nGive them in this order."
            ).within("sigma_min")

    def build(self) -> EDM:
        """Make the schedule."""
        from ._edm import EDM

        return EDM(self)
