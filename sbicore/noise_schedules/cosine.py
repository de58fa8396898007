"""The cosine schedule, with a shift for targets of high resolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ..config import NoiseScheduleConfig, frozen
from ..errors import ConfigError
from ..fields import choice, number
from ..references import Reference

if TYPE_CHECKING:
    from ._cosine import Cosine

__all__ = ["CosineNoiseSchedule"]


@frozen(kw_only=True)
class CosineNoiseSchedule(NoiseScheduleConfig):
    """`log_snr = -2 log tan(pi t / 2) + 2 shift`, between two bounds, variance-preserving.

    For images, `shift = log(base resolution / resolution)` keeps the noise of a patch as it was (eq. 3 of the first
    reference).
    """

    name: ClassVar[str] = "cosine"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Hoogeboom, Emiel and Heek, Jonathan and Salimans, Tim",
            title="Simple diffusion: End-to-end diffusion for high resolution images",
            year=2023,
            venue="International Conference on Machine Learning",
            arxiv="2301.11093",
        ),
        Reference(
            authors="Song, Yang and Durkan, Conor and Murray, Iain and Ermon, Stefano",
            title="Maximum Likelihood Training of Score-Based Diffusion Models",
            year=2021,
            venue="Advances in Neural Information Processing Systems",
            arxiv="2101.09258",
        ),
    )

    min_log_snr: float = number(-12.0, doc="At t = 1.")
    max_log_snr: float = number(12.0, doc="At t = 0.")
    shift: float = number(0.0, doc="Half of what is added to the log signal-to-noise ratio.")
    weighting: str | None = choice(
        None,
        options=("likelihood_weighting",),
        optional=True,
        doc="Of the loss on the noise: equal, or the rate of the noise, which bounds the likelihood.",
    )

    def __attrs_post_init__(self) -> None:
        if not self.min_log_snr < self.max_log_snr:
            raise ConfigError(
                f"min_log_snr={self.min_log_snr:g} must be below max_log_snr={self.max_log_snr:g}\n"
                "Give them in this order."
            ).within("min_log_snr")

    def build(self) -> Cosine:
        """Make the schedule."""
        from ._cosine import Cosine

        return Cosine(self)
