"""The normal distribution with a diagonal covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import DistributionConfig, frozen
from ..fields import flag, numbers
from ..references import Reference
from ._values import check_positive, shape_of

if TYPE_CHECKING:
    from ..shapes import Shapes
    from ._location_scale import NormalModule

__all__ = ["Normal"]


@frozen(kw_only=True)
class Normal(DistributionConfig):
    """Independent normals; standard by default. Values are in the units of the draws.

    Raises:
        ConfigError: a standard deviation that is not positive, or ragged values; at `build`,
            values that do not broadcast to the event.
    """

    name: ClassVar[str] = "normal"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors=(
                "Papamakarios, George and Nalisnick, Eric and Rezende, Danilo Jimenez and "
                "Mohamed, Shakir and Lakshminarayanan, Balaji"
            ),
            title="Normalizing Flows for Probabilistic Modeling and Inference",
            year=2021,
            venue="Journal of Machine Learning Research",
            arxiv="1912.02762",
        ),
    )

    mean: Any = numbers(0.0, doc="Mean: a number, or nested sequences that broadcast to the event.")
    std: Any = numbers(1.0, doc="Standard deviation, positive: a number, or sequences like the mean.")
    trainable: bool = flag(False, doc="Learn mean and standard deviation, starting from the given ones.")

    def __attrs_post_init__(self) -> None:
        shape_of(self.mean, "mean")
        check_positive(self.std, "std")

    def build(self, shapes: Shapes | None = None) -> NormalModule:
        """Make the distribution over events of `shapes.target`, or over the last axis."""
        from ._location_scale import NormalModule

        return NormalModule(self.mean, self.std, self.trainable, shapes, ("mean", "std"))
