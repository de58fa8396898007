"""`sbicore benchmark speed`: a training step, draws, densities, import and first result, beside other tools.

Two moons, 12,800 rows in memory, batches of 128. Rounds are interleaved (ours, peers, ours, peers, ...) and each
measurement has a fresh process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sbicore.errors import SbicoreError

from ._records import Records, table
from ._words import as_count, as_folder
from .contenders import Contender, ours, peer, peer_names, variables
from .environments import PeerUnavailable
from .jobs import run_job
from .tasks import observation, prior_bounds, simulations

__all__ = ["conclude", "median", "ratio", "run", "shown"]

TASK = "two_moons"
ROWS = 12_800
FIT = {"epochs": 6, "batch_size": 128, "learning_rate": 5e-4, "validation_fraction": 0.05}
STEPS = 600
COMPILE = ("never", "always")
DRAWS, DENSITIES = 10_000, 1_000
FIRST = {"steps": 100, "draws": 100}
"""What a first result is: import, so many training steps, so many draws, in one new process."""
MEASURES = {
    "step_ms": "training step, ms",
    "draw_seconds": f"{DRAWS:,} draws, s",
    "density_seconds": f"{DENSITIES:,} densities, s",
    "import_seconds": "import, s",
    "first_result_seconds": "first result, s",
    "memory_mb": "memory, MB",
}


def run(options: argparse.Namespace) -> int:
    """Measure every (round, contender) without a row, then write and print medians and ratios."""
    as_count(options.rounds, "--rounds")
    threads = as_count(options.threads or os.cpu_count() or 1, "--threads")
    as_folder(options.out)
    records = Records(options.out / "speed.jsonl")
    contenders, missing = _contenders(options)
    settings = {
        contender: [
            {"benchmark": "speed", "round": i, "rows": ROWS, "threads": threads, **contender.settings}
            for i in range(1, options.rounds + 1)
        ]
        for contender in contenders
    }
    for i in range(options.rounds):
        for contender in list(settings):
            if settings[contender][i] in records:
                continue
            print(f"round {i + 1}, {contender.label} ...", file=sys.stderr, flush=True)
            try:
                records.append(settings[contender][i], measure(contender, threads))
            except SbicoreError as error:
                missing[contender.label] = str(error)
                del settings[contender]
    results = {contender.label: [records[row] for row in rows] for contender, rows in settings.items()}
    text = report(results, own=[c.label for c in settings if c.settings["tool"] == "sbicore"])
    return conclude(text, records, missing)


def conclude(text: str, records: Records, missing: Mapping[str, str]) -> int:
    """Write the table beside the rows, with what was not measured, and print it; the exit status."""
    if missing:
        text += "\n\nNot measured:\n\n" + "\n".join(f"- {name}: {reason}" for name, reason in missing.items())
    path = records.path.with_suffix(".md")
    path.write_text(text + "\n", encoding="utf-8")
    print(f"{text}\n\nRows: {records.path}\nTable: {path}")
    return 1 if missing else 0


def _contenders(options: argparse.Namespace) -> tuple[list[Contender], dict[str, str]]:
    """Ours, eager and compiled, and the peers that can be had; why others cannot."""
    found = [
        ours(
            network,
            budget=ROWS,
            preset=None,
            fit={**FIT, "compile": compile},
            label=f"sbicore {network}{', compiled' if compile == 'always' else ''}",
        )
        for network in options.network
        for compile in COMPILE
    ]
    missing = {}
    training = {"steps": STEPS, "batch_size": 128, "learning_rate": 5e-4, "validation_fraction": 0.05}
    for name in peer_names() if options.peer is None else options.peer:
        try:
            found.append(peer(name, training=training, bounds=prior_bounds(TASK)))
        except PeerUnavailable as error:
            missing[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
    return found, missing


def measure(contender: Contender, threads: int) -> dict[str, Any]:
    """Every time of one contender; draws and densities are those of the second call.

    Raises:
        SbicoreError: a process failed.
    """
    observed = np.stack([observation(TASK, 1).observable] * 2)
    arrays = {**simulations(TASK, ROWS, seed=1), "observed": observed}
    shared = {**contender.settings, "simulator": None, "seed": 1, "threads": threads, "progress": False}
    facts, _ = run_job(contender, {**shared, "draws": DRAWS, "densities": DENSITIES}, arrays)
    short = {**shared, "draws": FIRST["draws"], "densities": 0}
    if "fit" in short:
        short["fit"] = {**short["fit"], "epochs": 1}
    else:
        short["steps"] = FIRST["steps"]
    first, _ = run_job(contender, short, {**arrays, "observed": observed[:1]})
    facts["draw_seconds"] = facts.pop("sampling_seconds")[1]
    return {
        **facts,
        "import_seconds": import_time(contender, threads),
        "first_result_seconds": first["process_seconds"],
    }


def import_time(contender: Contender, threads: int) -> float:
    """Seconds of a new process that imports the tool, and what it trains with, and ends."""
    module = {"sbicore": "sbicore.approximators.continuous", "sbi": "sbi.inference"}.get(
        contender.settings["tool"], "bayesflow"
    )
    started = time.perf_counter()
    process = subprocess.run(
        [contender.command[0], "-c", f"import {module}"],
        env=variables(contender, threads),
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise SbicoreError(f"{contender.label} cannot be imported:\n{process.stderr.strip()[-500:]}")
    return time.perf_counter() - started


def report(results: Mapping[str, Sequence[Mapping[str, Any]]], own: Sequence[str]) -> str:
    """Medians, and how many times longer each peer takes than ours, with the range over rounds."""
    columns = [name for name in MEASURES if any(row.get(name) is not None for rows in results.values() for row in rows)]
    head = ["", "parameters", "network", *(MEASURES[name] for name in columns)]
    medians = [
        [label, f"{rows[0]['parameters']:,}", rows[0]["network"], *(shown(median(rows, name)) for name in columns)]
        for label, rows in results.items()
    ]
    text = "Medians over rounds.\n\n" + table(head, medians)
    peers = [label for label in results if label not in own]
    for label in own if peers else ():
        rows = [[other, *(ratio(results[other], results[label], name) for name in columns)] for other in peers]
        text += f"\n\nTimes longer than {label}: median (smallest to largest over rounds).\n\n"
        text += table(["", *(MEASURES[name] for name in columns)], rows)
    return text


def median(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Of the rows that have a value; None where none has."""
    known = [row[name] for row in rows if row.get(name) is not None]
    return statistics.median(known) if known else None


def ratio(other: Sequence[Mapping[str, Any]], own: Sequence[Mapping[str, Any]], name: str) -> str:
    """Median and range of theirs over ours, of rows of the same round; empty where either has no value."""
    ratios = [
        theirs[name] / mine[name]
        for theirs, mine in zip(other, own, strict=True)
        if theirs.get(name) is not None and mine.get(name) is not None
    ]
    if not ratios:
        return ""
    return f"{statistics.median(ratios):.2g} ({min(ratios):.2g} to {max(ratios):.2g})"


def shown(value: float | None) -> str:
    """Three digits."""
    return "" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"
