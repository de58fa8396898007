"""Summary networks of time series: `time_series_network` and `time_series_transformer`."""

from .time_series_network import TimeSeriesNetwork
from .time_series_transformer import TimeSeriesTransformer

__all__ = ["TimeSeriesNetwork", "TimeSeriesTransformer"]
