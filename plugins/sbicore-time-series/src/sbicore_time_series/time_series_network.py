"""The config of `time_series_network`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, flag, integer, number, sizes
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .time_series_network_module import TimeSeriesNetworkModule

__all__ = ["ACTIVATIONS", "TimeSeriesNetwork"]

ACTIVATIONS = ("mish", "silu", "gelu", "relu", "tanh")


@frozen(kw_only=True)
class TimeSeriesNetwork(SummaryNetworkConfig):
    """Convolutions along a series, then recurrent networks over all steps and over every p-th."""

    name: ClassVar[str] = "time_series_network"
    layout: ClassVar[str] = "series"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks"})
    compiles: ClassVar[bool] = False
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Lai, Guokun and Chang, Wei-Cheng and Yang, Yiming and Liu, Hanxiao",
            title="Modeling Long- and Short-Term Temporal Patterns with Deep Neural Networks",
            year=2018,
            venue="International ACM SIGIR Conference on Research and Development in Information Retrieval",
            arxiv="1703.07015",
        ),
    )

    summary_dim: int = integer(16, ge=1, doc="Number of summaries.")
    filters: tuple[int, ...] = sizes((32,), doc="Channels of each convolution.")
    kernel_sizes: tuple[int, ...] = sizes((3,), doc="Steps that each convolution sees.")
    strides: tuple[int, ...] = sizes((1,), doc="Steps that each convolution moves on; none larger than its kernel.")
    activation: str = choice("mish", options=ACTIVATIONS, doc="Activation of the convolutions.")
    recurrent_type: str = choice("gru", options=("gru", "lstm"), doc="Cell of the recurrent networks.")
    recurrent_dim: int = integer(128, ge=1, doc="Width of the state of each recurrent network.")
    bidirectional: bool = flag(True, doc="Whether second recurrent networks read the series backwards.")
    skip_steps: int | None = integer(
        4, ge=2, optional=True, doc="Steps between the entries that the skip recurrence links; None leaves it out."
    )
    dropout: float = number(0.05, ge=0.0, lt=1.0, doc="Dropout probability of the recurrent states.")

    def __attrs_post_init__(self) -> None:
        layers = len(self.filters)
        for name in ("kernel_sizes", "strides"):
            if (got := len(getattr(self, name))) != layers:
                raise ConfigError(f"needs one number for each of the {layers} filters, got {got}").within(name)
        for kernel_size, stride in zip(self.kernel_sizes, self.strides, strict=True):
            if stride > kernel_size:
                found = f"a stride of {stride} with a kernel of {kernel_size} leaves entries out"
                raise ConfigError(f"{found}\nGive: strides no larger than kernel_sizes").within("strides")

    def build(self, shapes: Shapes) -> TimeSeriesNetworkModule:
        """The module; its `out_features` is `summary_dim` unless `shapes.output` is given."""
        from .time_series_network_module import TimeSeriesNetworkModule

        return TimeSeriesNetworkModule(self, shapes)
