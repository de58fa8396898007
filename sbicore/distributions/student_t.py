"""Student's multivariate t distribution with a diagonal scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import DistributionConfig, frozen
from ..fields import flag, number, numbers
from ..references import Reference
from ._values import check_positive, shape_of

if TYPE_CHECKING:
    from ..shapes import Shapes
    from ._location_scale import StudentTModule

__all__ = ["StudentT"]


@frozen(kw_only=True)
class StudentT(DistributionConfig):
    """Multivariate t: all coordinates of an event share one chi-squared variable.

    It is not a product of univariate t distributions; its contours are those of a normal. The
    covariance is `diag(scale**2) df / (df - 2)` for `df > 2`. The density is equation 1.1 of the reference.

    Raises:
        ConfigError: a scale or df that is not positive, or ragged values; at `build`, values
            that do not broadcast to the event.
    """

    name: ClassVar[str] = "student_t"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Kotz, Samuel and Nadarajah, Saralees",
            title="Multivariate t Distributions and Their Applications",
            year=2004,
            venue="Cambridge University Press",
            doi="10.1017/CBO9780511550683",
        ),
    )

    df: float = number(25.0, gt=0, doc="Degrees of freedom; heavier tails for fewer.")
    loc: Any = numbers(0.0, doc="Location: a number, or nested sequences that broadcast to the event.")
    scale: Any = numbers(1.0, doc="Scale, positive: a number, or sequences like the location.")
    trainable: bool = flag(False, doc="Learn location and scale, starting from the given ones; df stays.")

    def __attrs_post_init__(self) -> None:
        shape_of(self.loc, "loc")
        check_positive(self.scale, "scale")

    def build(self, shapes: Shapes | None = None) -> StudentTModule:
        """Make the distribution over events of `shapes.target`, or over the last axis."""
        from ._location_scale import StudentTModule

        return StudentTModule(self.df, self.loc, self.scale, self.trainable, shapes, ("loc", "scale"))
