"""A mixture of normals with diagonal covariances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import DistributionConfig, frozen
from ..errors import ConfigError
from ..fields import flag, integer, numbers
from ..references import Reference
from ._values import check_positive, shape_of

if TYPE_CHECKING:
    from ..shapes import Shapes
    from ._mixture import MixtureModule

__all__ = ["Mixture"]


@frozen(kw_only=True)
class Mixture(DistributionConfig):
    """A mixture of K diagonal normals over the event.

    Without `means` the components are spread evenly: every coordinate takes K even values from -2
    to 2, each once, in an order that differs between coordinates. Nothing is drawn at random, so
    the same config is always the same distribution.

    Raises:
        ConfigError: scales or weights that are not positive, values for another number of
            components; at `build`, values that do not broadcast to the event, or
            `trainable=True` without shapes or means to say how many means there are.
    """

    name: ClassVar[str] = "mixture"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="McLachlan, Geoffrey and Peel, David",
            title="Finite Mixture Models",
            year=2000,
            venue="Wiley",
            doi="10.1002/0471721182",
        ),
    )

    components: int = integer(2, ge=1, doc="Number of components K.")
    means: Any = numbers(None, optional=True, doc="Means, (K,) or (K, *event); None spreads them from -2 to 2.")
    scales: Any = numbers(1.0, doc="Standard deviations, positive: a number, (K,) or (K, *event).")
    weights: Any = numbers(None, optional=True, doc="K positive weights, normalised; None for equal ones.")
    trainable: bool = flag(False, doc="Learn means, scales and weights, starting from the given ones.")

    def __attrs_post_init__(self) -> None:
        check_positive(self.scales, "scales")
        if self.weights is not None:
            check_positive(self.weights, "weights")
        for name in ("means", "scales", "weights"):
            value = getattr(self, name)
            if value is None or (name == "scales" and not isinstance(value, tuple)):
                continue
            shape = shape_of(value, name)
            if shape[:1] != (self.components,) or (name == "weights" and len(shape) > 1):
                raise ConfigError(
                    f"expected values for {self.components} components, got shape {shape}\n"
                    f"Give components={shape[0] if shape else 1}, or as many {name} as components."
                ).within(name)

    def build(self, shapes: Shapes | None = None) -> MixtureModule:
        """Make the distribution over events of `shapes.target`, or over the last axis."""
        from ._mixture import MixtureModule

        if self.trainable and shapes is None and self.means is None:
            raise ConfigError(
                "a trainable mixture needs to know the event\nGive means=, or build(shapes=Shapes(target=(D,)))."
            ).within("means")
        return MixtureModule(self, shapes)
