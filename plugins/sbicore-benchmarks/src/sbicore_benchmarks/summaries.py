"""`sbicore benchmark summaries`: summary networks and the training step of `point_network`, beside BayesFlow's.

Both tools get the same arguments and the same shapes. A process measures all networks of one tool; rounds are
interleaved (ours, peers, ours, peers, ...).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sbicore.errors import SbicoreError
from sbicore.registry import configure

from . import peers
from ._records import Records, table
from ._words import as_count, as_folder, unknown
from .contenders import Contender
from .environments import PEERS, PeerUnavailable, environment
from .jobs import run_worker
from .speed import conclude, median, ratio, shown

__all__ = ["NETWORKS", "PEER_NAMES", "run"]

BATCH = 64
SECONDS = 0.5
"""For how long each call is repeated."""
TRAINING = {"rows": 12_800, "steps": 600, "learning_rate": 5e-4, "validation_fraction": 0.05}
"""Of `point_network`, whose step is that of `fit`."""
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
PEER_NAMES = ("bayesflow_torch", "bayesflow_jax")
MEASURES = {"forward_ms": "forward, ms", "both_ms": "forward and backward, ms", "step_ms": "training step, ms"}


def run(options: argparse.Namespace) -> int:
    """Measure every (round, tool, network) without a row, then write and print medians and ratios.

    Raises:
        ConfigError and its kind: no such network or peer; a plugin is missing.
    """
    as_count(options.rounds, "--rounds")
    threads = as_count(options.threads or os.cpu_count() or 1, "--threads")
    for name in options.network or ():
        if name not in NETWORKS:
            raise unknown("network to measure", name, NETWORKS)
    names = list(dict.fromkeys(options.network or NETWORKS))
    for name in names:
        configure(name, **NETWORKS[name]["arguments"])
    contenders, missing = _contenders(PEER_NAMES if options.peer is None else options.peer)
    as_folder(options.out)
    records = Records(options.out / "summaries.jsonl")
    shared = {"batch_size": BATCH, "seconds": SECONDS, "training": TRAINING, "threads": threads}

    def row(contender: Contender, name: str, i: int) -> dict[str, Any]:
        return {
            "benchmark": "summaries",
            "round": i,
            "network": name,
            **NETWORKS[name],
            **shared,
            **contender.settings,
        }

    for i in range(1, options.rounds + 1):
        for contender in list(contenders):
            todo = [name for name in names if row(contender, name, i) not in records]
            if not todo:
                continue
            print(f"round {i}, {contender.label} ...", file=sys.stderr, flush=True)
            job = {**shared, "networks": {name: NETWORKS[name] for name in todo}, "seed": i, "progress": False}
            try:
                facts = run_worker(contender, job)
            except SbicoreError as error:
                missing[contender.label] = str(error)
                contenders.remove(contender)
                continue
            measured = facts.pop("networks")
            for name in todo:
                records.append(row(contender, name, i), {**measured[name], **facts})
    rounds = range(1, options.rounds + 1)
    results = {
        name: {contender.label: [records[row(contender, name, i)] for i in rounds] for contender in contenders}
        for name in names
    }
    return conclude(report(results), records, missing)


def _contenders(names: Sequence[str]) -> tuple[list[Contender], dict[str, str]]:
    """Ours, and the peers that can be had; why others cannot."""
    found = [Contender("sbicore", (sys.executable, "-m", "sbicore_benchmarks.summary_worker"), {"tool": "sbicore"})]
    missing = {}
    for name in names:
        if name not in PEER_NAMES:
            raise unknown("peer with summary networks", name, PEER_NAMES)
        try:
            command = (str(environment(PEERS[name])), str(Path(peers.__file__).parent / "bayesflow_summaries.py"))
        except PeerUnavailable as error:
            missing[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        found.append(
            Contender(name.replace("_", " "), command, {"tool": name}, {**PEERS[name].variables, "PYTHONPATH": ""})
        )
    return found, missing


def report(results: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Medians of each network and tool, and how many times longer a peer takes than ours in the same round."""
    rows = []
    for name, tools in results.items():
        for label, found in tools.items():
            times = [shown(median(found, measure)) for measure in MEASURES]
            own = tools.get("sbicore") if label != "sbicore" else None
            ratios = [ratio(found, own, measure) if own else "" for measure in MEASURES]
            rows.append([name, label, f"{found[0]['parameters']:,}", *times, *ratios])
    head = [
        "network",
        "",
        "parameters",
        *MEASURES.values(),
        *(f"{title.removesuffix(', ms')}, times ours" for title in MEASURES.values()),
    ]
    return (
        f"Medians over rounds, batches of {BATCH}. Times ours: median (smallest to largest over rounds).\n\n"
        + table(head, rows)
    )
