"""`sbicore benchmark summaries`: summary networks and the training step of `point_network`, beside BayesFlow's.

Both tools get the same arguments and the same shapes. A process measures all networks of one tool.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from .beside import Comparison, compare

__all__ = ["COMPARISON", "run"]

SERIES, SET = [100, 2], [50, 2]
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "deep_set": {"shape": SET, "arguments": {"embed_dim": 64, "depth": 2, "mlp_widths": [64]}},
    "set_transformer": {"shape": SET, "arguments": {"embed_dims": [64, 64], "num_heads": [4, 4]}},
    "time_series_network": {"shape": SERIES, "arguments": {"recurrent_dim": 128, "skip_steps": 4}},
    "time_series_transformer": {"shape": SERIES, "arguments": {"embed_dims": [64, 64], "num_heads": [4, 4]}},
    "convolutional_network": {
        "shape": [16, 16, 1],
        "arguments": {"widths": [32, 64, 128], "blocks_per_stage": 2, "norm": "layer"},
    },
    "fusion_transformer": {
        "shape": SERIES,
        "arguments": {"embed_dims": [64, 64], "num_heads": [4, 4], "template_type": "gru", "template_dim": 128},
    },
    "fusion_network": {
        "shape": {"trace": SERIES, "trials": SET},
        "arguments": {"backbones": {"trace": {"name": "time_series_transformer"}, "trials": {"name": "deep_set"}}},
    },
    "point_network": {
        "shape": [10],
        "arguments": {
            "points": ["mean", "quantiles"],
            "q": [0.05, 0.5, 0.95],
            "subnet_kwargs": {"widths": [256, 256]},
        },
    },
}
"""What is built: the shape of what one row of a batch holds, and the arguments of both tools."""
SHARED: Mapping[str, Any] = {
    "batch_size": 64,
    "seconds": 0.5,
    "training": {"rows": 12_800, "steps": 600, "learning_rate": 5e-4, "validation_fraction": 0.05},
}
"""Rows of a call, for how long it is repeated, and the training of `point_network`, whose step is that of `fit`."""
COMPARISON = Comparison(
    name="summaries",
    networks=NETWORKS,
    shared=SHARED,
    worker="sbicore_benchmarks.summary_worker",
    script="bayesflow_summaries.py",
    measures={"forward_ms": "forward, ms", "both_ms": "forward and backward, ms", "step_ms": "training step, ms"},
    head=f"batches of {SHARED['batch_size']}",
)


def run(options: argparse.Namespace) -> int:
    """See `compare`."""
    return compare(COMPARISON, options)
