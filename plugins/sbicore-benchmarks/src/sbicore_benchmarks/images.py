"""`sbicore benchmark images`: flow matching of images with each of the image subnets, beside BayesFlow's.

Both tools get the same arguments and the same shapes, and each network of a tool has a process of its own.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from attrs import evolve

from ._words import as_count
from .beside import Comparison, compare

__all__ = ["COMPARISON", "run"]

STYLE = {"widths": [16, 32], "num_heads": 4, "time_emb_dim": 32, "use_film": True, "groups": 8, "dropout": 0.0}
TRANSFORMER = {"transformer_blocks": 3, "transformer_width": 128, "transformer_dropout": 0.0}
NETWORKS: Mapping[str, Mapping[str, Any]] = {
    "unet": {"arguments": {**STYLE, "res_blocks": 2, "attn_stage": [False, True]}},
    "uvit": {"arguments": {**STYLE, **TRANSFORMER, "res_blocks": 2}, "own": {"expansion_factor": 1.0}},
    "residual_uvit": {
        "arguments": {**STYLE, **TRANSFORMER, "res_blocks_down": 2, "res_blocks_up": 3},
        "own": {"expansion_factor": 1.0},
    },
}
"""What is built; the layers of BayesFlow's transformers are as wide as the transformer, and so are ours here."""
SHARED: Mapping[str, Any] = {
    "target": [16, 16, 1],
    "condition": [16, 16, 1],
    "batch_size": 32,
    "images": 64,
    "seconds": 2.0,
    "training": {"rows": 672, "steps": 80, "learning_rate": 5e-4, "validation_fraction": 0.0475},
}
"""Shapes, rows of a step, images of an evaluation and for how long it is repeated, and the training: 20 steps an epoch
and one batch to validate."""
COMPARISON = Comparison(
    name="images",
    networks=NETWORKS,
    shared=SHARED,
    worker="sbicore_benchmarks.image_worker",
    script="bayesflow_images.py",
    measures={
        "step_ms": "training step, ms",
        "evaluation_ms": "evaluation, ms",
        "draws_seconds": "draws, s",
        "memory_mb": "memory, MB",
        "above_mb": "memory above imports, MB",
    },
    head=f"steps of {SHARED['batch_size']} and evaluations of {SHARED['images']} images of 16 x 16 pixels",
    apart=True,
)


def run(options: argparse.Namespace) -> int:
    """See `compare`; with `--draws`, draws of each tool's default solver, too."""
    draws = as_count(options.draws, "--draws") if options.draws is not None else 0
    return compare(evolve(COMPARISON, shared={**SHARED, "draws": draws}), options)
