"""Options of the transforms, by name: what `transform_kwargs` may hold."""

from __future__ import annotations

from typing import Any

from sbicore.config import Options, frozen
from sbicore.errors import ConfigError
from sbicore.fields import flag, integer, number, numbers

__all__ = ["TRANSFORMS", "AffineOptions", "SplineOptions"]


@frozen(kw_only=True)
class AffineOptions(Options):
    """Options of the affine transform."""

    clamp: bool = flag(
        True, doc="Whether scales grow linearly with the subnet's output, not exponentially: log scale = arcsinh(raw)."
    )


@frozen(kw_only=True)
class SplineOptions(Options):
    """Options of the rational-quadratic spline; beyond its domain it goes on as a straight line."""

    bins: int = integer(16, ge=2, doc="Number of bins K.")
    default_domain: Any = numbers((-3.0, 3.0, -3.0, 3.0), doc="The domain at initialisation: left, right, bottom, top.")
    min_width: float = number(1.0, gt=0.0, doc="Smallest width of the domain; at least K min_bin_width.")
    min_height: float = number(1.0, gt=0.0, doc="Smallest height of the domain; at least K min_bin_height.")
    min_bin_width: float = number(0.1, gt=0.0, doc="Smallest width of a bin.")
    min_bin_height: float = number(0.1, gt=0.0, doc="Smallest height of a bin.")

    def __attrs_post_init__(self) -> None:
        domain = self.default_domain
        if not isinstance(domain, tuple) or len(domain) != 4 or any(isinstance(edge, tuple) for edge in domain):
            raise ConfigError(f"expected four numbers (left, right, bottom, top), got {domain!r}").within(
                "default_domain"
            )
        left, right, bottom, top = domain
        for low, high, smallest, what in (
            (left, right, self.smallest[0], "wide"),
            (bottom, top, self.smallest[1], "high"),
        ):
            if high - low <= smallest:
                raise ConfigError(
                    f"the domain is {high - low:g} {what}, which must exceed {smallest:g}\n"
                    "Give a larger domain, or fewer or smaller bins."
                ).within("default_domain")

    @property
    def smallest(self) -> tuple[float, float]:
        """The least width and height of the domain that hold the bins."""
        return max(self.min_width, self.bins * self.min_bin_width), max(
            self.min_height, self.bins * self.min_bin_height
        )


TRANSFORMS: dict[str, type[Options]] = {"affine": AffineOptions, "spline": SplineOptions}
