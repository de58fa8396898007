"""The module of `time_series_network`."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from sbicore.shapes import Shapes

from .convolution import SeriesConvolution
from .recurrence import EndStates, SkipRecurrence
from .rows import as_rows
from .time_series_network import TimeSeriesNetwork

__all__ = ["TimeSeriesNetworkModule"]


class TimeSeriesNetworkModule(nn.Module):
    """`(x (*, N, F), mask (*, N)) -> (*, S)`."""

    def __init__(self, config: TimeSeriesNetwork, shapes: Shapes) -> None:
        super().__init__()
        self.config = config
        widths = pairwise((shapes.target[-1], *config.filters))
        settings = zip(widths, config.kernel_sizes, config.strides, strict=True)
        self.convolutions = nn.ModuleList(
            SeriesConvolution(before, width, kernel_size, stride, config.activation)
            for (before, width), kernel_size, stride in settings
        )
        recurrent = (config.filters[-1], config.recurrent_dim, config.recurrent_type, config.bidirectional)
        self.direct = EndStates(*recurrent)
        self.skip = SkipRecurrence(EndStates(*recurrent), config.skip_steps) if config.skip_steps else None
        self.dropout = nn.Dropout(config.dropout)
        self.out_features = shapes.output or config.summary_dim
        states = self.direct.out_features + (self.skip.out_features if self.skip else 0)
        self.out = nn.Linear(states, self.out_features)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Masked entries are taken as zeros by the convolutions and left out of the recurrence."""
        lead = x.shape[:-2]
        h, mask = as_rows(x, mask)
        for convolution in self.convolutions:
            h, mask = convolution(h, mask)
        states = self.direct(h, mask)
        if self.skip is not None:
            states = torch.cat([states, self.skip(h, mask)], dim=-1)
        return self.out(self.dropout(states)).reshape(*lead, self.out_features)
