"""Speed of flow matching with its defaults: a training step, and 10,000 draws for one observation.

    python -m sbicore_benchmarks.speed --out speed.jsonl --peers PEER_ENVIRONMENT/bin/python

Two moons, 12,800 rows in memory, batches of 128. Rounds are interleaved (ours, peers, ours, peers, ...) and
each measurement has a fresh process. Ours is measured eager and compiled, as it comes and with its five
layers widened to the number of parameters of the peer's default network.
"""

from __future__ import annotations

import argparse
import bisect
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import sbicore
from sbicore.errors import SbicoreError
from sbicore.shapes import Shapes

from ._records import Records, table
from ._training import count_parameters
from .config import TwoMoons

ROWS = 12_800
WORK = {"epochs": 6, "batch_size": 128, "draws": 10_000}
LAYERS = 5
PEER_PARAMETERS = (508_434, 1_207_314)
"""Of BayesFlow's default network with two parameters and two observables: FiLM from time (2.0.12), and FiLM
from time and conditions (2.1.0)."""
EQUAL = 0.1
"""Numbers of parameters that differ by no more than this share count as equal."""


class Contender(NamedTuple):
    """What is measured: how a process is started, and what it is told."""

    label: str
    command: tuple[str, ...]
    arguments: Mapping[str, Any]
    backend: str | None
    """Of Keras, for a peer; None for ours."""


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every (round, contender) without a row, then print medians and ratios."""
    parser = argparse.ArgumentParser(prog="python -m sbicore_benchmarks.speed", description=__doc__)
    parser.add_argument("--peers", nargs="*", default=[], help="pythons beside BayesFlow, torch and jax")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", default="speed.jsonl", help="JSON lines; finished rows are skipped")
    options = parser.parse_args(argv)

    records = Records(options.out)
    peers = [peer(python, backend) for python in options.peers for backend in ("torch", "jax")]
    contenders = [*own_contenders(), *peers]
    settings = {
        contender.label: [
            {
                "benchmark": "speed",
                "contender": contender.label,
                "round": i,
                "rows": ROWS,
                **contender.arguments,
            }
            for i in range(1, options.rounds + 1)
        ]
        for contender in contenders
    }
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "two_moons.npz"
        np.savez(data, observable=np.zeros(2, np.float32), **TwoMoons().sample(ROWS, seed=1))
        for i in range(options.rounds):
            for contender in contenders:
                row = settings[contender.label][i]
                if row not in records:
                    records.append(row, measure(contender, data))
    results = {label: summary([records[row] for row in rows]) for label, rows in settings.items()}
    print(report(results, peers=[contender.label for contender in peers]))


def own_contenders() -> list[Contender]:
    """The default network, and one as large as each of the peer's where the default is not."""
    networks: dict[str, dict[str, Any]] = {"default": {}}
    for parameters in PEER_PARAMETERS:
        if not equal(parameters, network_size({})):
            networks[f"{parameters:,}"] = {"widths": [matched_width(parameters)] * LAYERS}
    command = (sys.executable, "-m", "sbicore_benchmarks._speed_worker")
    return [
        Contender(
            f"sbicore {name} {'compiled' if compile else 'eager'}",
            command,
            {**WORK, "compile": compile, "subnet_kwargs": subnet_kwargs},
            None,
        )
        for name, subnet_kwargs in networks.items()
        for compile in (False, True)
    ]


def peer(python: str, backend: str) -> Contender:
    """BayesFlow as installed beside this python, on one backend of Keras."""
    script = Path(__file__).parent / "peers" / "bayesflow_speed.py"
    asked = [python, "-c", "import importlib.metadata as m; print(m.version('bayesflow'))"]
    version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip()
    if not version:
        raise SbicoreError(f"{python} has no BayesFlow.\nThe README of sbicore-benchmarks says how to get it.")
    return Contender(f"bayesflow {version} {backend}", (python, str(script)), WORK, backend)


def network_size(subnet_kwargs: Mapping[str, Any]) -> int:
    """Parameters of our network for two moons."""
    config = sbicore.configure("flow_matching", subnet_kwargs=subnet_kwargs)
    return count_parameters(config.build(Shapes(target=(2,), conditions=(2,))))


def matched_width(parameters: int) -> int:
    """The smallest multiple of 16 at which five layers of this width have at least this many parameters."""
    widths = range(16, 2048, 16)

    def size(width: int) -> int:
        return network_size({"widths": [width] * LAYERS})

    return widths[bisect.bisect_left(widths, parameters, key=size)]


def equal(first: float, second: float) -> bool:
    """Whether two numbers of parameters count as equal."""
    return abs(first - second) <= EQUAL * min(first, second)


def measure(contender: Contender, data: Path) -> dict[str, Any]:
    """Run one measurement in a fresh process.

    Raises:
        SbicoreError: the process failed; rows finished so far are kept.
    """
    environment = dict(os.environ)
    if contender.backend:
        environment["KERAS_BACKEND"] = contender.backend
        environment.pop("PYTHONPATH", None)
    process = subprocess.run(
        [*contender.command, str(data), json.dumps(contender.arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode != 0:
        raise SbicoreError(f"The measurement of {contender.label} failed:\n{process.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return result


def summary(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Medians over the rounds of one contender."""
    times = {name: statistics.median(row[name] for row in rounds) for name in ("step_ms", "draw_seconds")}
    return {"parameters": rounds[0]["parameters"], "network": rounds[0]["network"], **times}


def report(results: Mapping[str, Mapping[str, Any]], peers: Sequence[str]) -> str:
    """The table of medians, and how many times longer each peer takes than each of ours."""
    columns = ("parameters", "network", "step_ms", "draw_seconds")
    medians = [[name, *(row[column] for column in columns)] for name, row in results.items()]
    text = table(["contender", *columns], medians)
    for column in ("step_ms", "draw_seconds") if peers else ():
        own = [name for name in results if name not in peers]
        ratios = [[name, *(_ratio(results[peer], results[name], column) for peer in peers)] for name in own]
        text += f"\n\n{column}, peer / ours; in brackets where parameters differ by more than {EQUAL:.0%}\n"
        text += table(["", *peers], ratios)
    return text


def _ratio(other: Mapping[str, Any], own: Mapping[str, Any], column: str) -> str:
    ratio = f"{other[column] / own[column]:.2f}"
    return ratio if equal(other["parameters"], own["parameters"]) else f"({ratio})"


if __name__ == "__main__":
    main()
