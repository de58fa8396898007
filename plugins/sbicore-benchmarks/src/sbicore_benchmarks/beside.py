"""Networks of sbicore beside those of BayesFlow with the same arguments, on both backends it has.

Rounds are interleaved (ours, peers, ours, peers, ...), and what is finished is kept.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from sbicore.errors import SbicoreError
from sbicore.registry import configure

from . import peers
from ._records import Records, table
from ._words import as_count, as_folder, unknown
from .contenders import Contender
from .environments import PEERS, PeerUnavailable, environment
from .jobs import run_worker
from .speed import conclude, median, ratio, shown

__all__ = ["PEER_NAMES", "Comparison", "compare", "report"]

PEER_NAMES = ("bayesflow_torch", "bayesflow_jax")


@frozen(kw_only=True)
class Comparison:
    """What is measured, and by whom.

    Attributes:
        name: of the benchmark and of the files of its results.
        networks: by name, what workers are told of each: `arguments` of both tools and, of ours, further `own` ones.
        shared: what workers are told beside.
        worker: the module that measures ours.
        script: the file in `peers` that measures BayesFlow's.
        measures: what is told of each network, with the heads of its column.
        head: what stands above the table.
        apart: whether each network has a process of its own, so that peaks of memory are its own, too.
    """

    name: str
    networks: Mapping[str, Mapping[str, Any]]
    shared: Mapping[str, Any]
    worker: str
    script: str
    measures: Mapping[str, str]
    head: str
    apart: bool = False


def compare(comparison: Comparison, options: argparse.Namespace) -> int:
    """Measure every (round, tool, network) without a row, then write and print medians and ratios.

    Raises:
        ConfigError and its kind: no such network or peer; a plugin is missing.
    """
    as_count(options.rounds, "--rounds")
    threads = as_count(options.threads or os.cpu_count() or 1, "--threads")
    networks = comparison.networks
    for name in options.network or ():
        if name not in networks:
            raise unknown("network to measure", name, networks)
    names = list(dict.fromkeys(options.network or networks))
    for name in names:
        configure(name, **networks[name]["arguments"], **networks[name].get("own", {}))
    contenders, missing = _contenders(comparison, PEER_NAMES if options.peer is None else options.peer)
    as_folder(options.out)
    records = Records(options.out / f"{comparison.name}.jsonl")
    shared = {**comparison.shared, "threads": threads}

    def row(contender: Contender, name: str, i: int) -> dict[str, Any]:
        return {
            "benchmark": comparison.name,
            "round": i,
            "network": name,
            **networks[name],
            **shared,
            **contender.settings,
        }

    for i in range(1, options.rounds + 1):
        for contender in list(contenders):
            todo = [name for name in names if row(contender, name, i) not in records]
            for group in _groups(todo, comparison.apart):
                print(f"round {i}, {contender.label}, {', '.join(group)} ...", file=sys.stderr, flush=True)
                job = {**shared, "networks": {name: networks[name] for name in group}, "seed": i, "progress": False}
                try:
                    facts = run_worker(contender, job)
                except SbicoreError as error:
                    missing[contender.label] = str(error)
                    contenders.remove(contender)
                    break
                measured = facts.pop("networks")
                for name in group:
                    records.append(row(contender, name, i), {**measured[name], **facts})
    rounds = range(1, options.rounds + 1)
    results = {
        name: {contender.label: [records[row(contender, name, i)] for i in rounds] for contender in contenders}
        for name in names
    }
    return conclude(report(comparison, results), records, missing)


def _groups(names: Sequence[str], apart: bool) -> Iterator[Sequence[str]]:
    """Networks that are measured in one process."""
    if apart:
        yield from ([name] for name in names)
    elif names:
        yield names


def _contenders(comparison: Comparison, names: Sequence[str]) -> tuple[list[Contender], dict[str, str]]:
    """Ours, and the peers that can be had; why others cannot."""
    found = [Contender("sbicore", (sys.executable, "-m", comparison.worker), {"tool": "sbicore"})]
    missing = {}
    for name in names:
        if name not in PEER_NAMES:
            raise unknown(f"peer for {comparison.name}", name, PEER_NAMES)
        try:
            command = (str(environment(PEERS[name])), str(Path(peers.__file__).parent / comparison.script))
        except PeerUnavailable as error:
            missing[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        found.append(
            Contender(name.replace("_", " "), command, {"tool": name}, {**PEERS[name].variables, "PYTHONPATH": ""})
        )
    return found, missing


def report(comparison: Comparison, results: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> str:
    """Medians of each network and tool, and how many times longer a peer takes than ours in the same round."""
    rows = []
    for name, tools in results.items():
        for label, found in tools.items():
            medians = [shown(median(found, measure)) for measure in comparison.measures]
            own = tools.get("sbicore") if label != "sbicore" else None
            ratios = [ratio(found, own, measure) if own else "" for measure in comparison.measures]
            rows.append([name, label, f"{found[0]['parameters']:,}", *medians, *ratios])
    titles = comparison.measures.values()
    head = ["network", "", "parameters", *titles, *(f"{title.rpartition(', ')[0]}, times ours" for title in titles)]
    text = f"Medians over rounds, {comparison.head}. Times ours: median (smallest to largest over rounds)."
    return f"{text}\n\n{table(head, rows)}"
