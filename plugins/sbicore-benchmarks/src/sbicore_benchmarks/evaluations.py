"""`sbicore benchmark evaluations`: how many evaluations of a network a draw needs, and with which solver.

One training a task. For every observation and seed there are two sets of long draws: from the same noise as the short
ones, for distances draw by draw, and from other noise, for a classifier that must not recognise pairs. Another one
compares the short draws with the published reference posterior.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sbicore.errors import ConfigError

from ._records import Records, table
from ._words import as_budget, as_count, as_folder, as_mapping
from .contenders import Contender, ours
from .figures import draw_evaluations
from .published import OBSERVATIONS
from .tasks import known_task, observation, simulations

__all__ = ["run"]

Array = np.ndarray[Any, Any]

TASKS = ("two_moons", "gaussian_mixture", "slcp")
REFERENCE = {"method": "rk4", "steps": 125}
OPTIONS: Sequence[Mapping[str, Any]] = (
    {},
    {"precision": "bfloat16"},
    *(
        {"method": method, "steps": count // cost}
        for method, cost in (("euler", 1), ("midpoint", 2), ("rk4", 4))
        for count in (8, 12, 20, 48)
    ),
)
OTHER_NOISE = 10_000
"""Added to the seed of the long draws that a classifier sees."""


def run(options: argparse.Namespace) -> int:
    """Train and measure what has no row yet, then write and print the report."""
    tasks = [known_task(task) for task in options.task or TASKS]
    budget = as_budget(options.budget)
    if not isinstance(budget, int):
        raise ConfigError("solvers are compared after a training on given simulations\nGive a number, such as 1e5.")
    numbers = options.observation or list(range(1, OBSERVATIONS + 1))
    if not all(1 <= number <= OBSERVATIONS for number in numbers):
        raise ConfigError(f"Observations are 1 to {OBSERVATIONS}, got {numbers}")
    draws = as_count(options.draws, "--draws")
    compared = [as_mapping(text, "--options") for text in options.options or []] or [dict(o) for o in OPTIONS]
    reference = as_mapping(options.reference, "--reference") or dict(REFERENCE)
    contender = ours(
        options.network,
        budget=budget,
        preset=None if options.preset == "none" else options.preset,
        arguments=as_mapping(options.hyperparameters, "--hyperparameters"),
        fit=as_mapping(options.fit, "--fit"),
    )
    _check(contender, [*compared, reference])
    as_folder(options.out)
    if options.threads is not None:
        import torch

        torch.set_num_threads(as_count(options.threads, "--threads"))
    records = Records(options.out / "evaluations.jsonl")
    shared = {"benchmark": "evaluations", "budget": budget, "draws": draws, "reference": reference}
    shared = {**shared, **contender.settings}
    rows = [
        {**shared, "task": task, "observation": number, "seed": seed, "options": one}
        for task in tasks
        for number in numbers
        for seed in dict.fromkeys(options.seed)
        for one in compared
    ]
    for task in tasks:
        missing = [row for row in rows if row["task"] == task and row not in records]
        if missing:
            _measure(_trained(task, budget, contender, options.out), missing, records)
    report = _report(rows, records)
    (options.out / "evaluations.md").write_text(report, encoding="utf-8")
    draw_evaluations(rows, records, options.out / "evaluations.png")
    print(f"{report}\nRows: {records.path}\nFigure: {options.out / 'evaluations.png'}")
    return 0


def _check(contender: Contender, several: Sequence[Mapping[str, Any]]) -> None:
    """Every set of options is one that this network's `sample` takes."""
    from sbicore.registry import resolve

    for one in several:
        resolve(contender.settings["method"]).sample_options(**one)


def _trained(task: str, budget: int, contender: Contender, out: Any) -> Any:
    """The approximator of this task, trained unless an earlier run kept it."""
    import sbicore

    settings = contender.settings
    digest = hashlib.sha256(json.dumps([task, budget, settings], sort_keys=True).encode()).hexdigest()[:16]
    file = out / "models" / f"{task}-{digest}.sbi"
    if file.exists():
        return sbicore.load(file)
    print(f"{task}: training of {contender.label} ...", file=sys.stderr, flush=True)
    approximator = sbicore.build(
        settings["method"],
        inference_variables=["parameters"],
        inference_conditions=["observables"],
        **settings["arguments"],
    )
    history = approximator.fit(simulations(task, budget, 1), seed=1, **settings["fit"])
    if history.stopped == "interrupted":
        raise KeyboardInterrupt
    file.parent.mkdir(exist_ok=True)
    approximator.save(file)
    return approximator


def _measure(approximator: Any, rows: Sequence[Mapping[str, Any]], records: Records) -> None:
    """Append the results of rows of one task."""
    from sbicore_diagnostics import c2st

    def draw(row: Mapping[str, Any], options: Mapping[str, Any], seed: int) -> tuple[Array, Any]:
        observed = {"observables": observation(row["task"], row["observation"]).observable[None]}
        found, report = approximator.sample(observed, row["draws"], seed=seed, report=True, progress=False, **options)
        return found["parameters"][0].astype(float), report

    asked: tuple[Any, ...] = ()
    for done, row in enumerate(rows, start=1):
        if asked != (row["observation"], row["seed"]):
            asked = (row["observation"], row["seed"])
            same, _ = draw(row, row["reference"], row["seed"])
            other, _ = draw(row, row["reference"], row["seed"] + OTHER_NOISE)
        started = time.perf_counter()
        short, report = draw(row, row["options"], row["seed"])
        seconds = time.perf_counter() - started
        truth = observation(row["task"], row["observation"]).draws[: row["draws"]]
        scores = {"c2st": c2st(short, other), "accuracy": c2st(short, truth)}
        results = {**_distances(short, same), **scores, "seconds": seconds}
        records.append(row, {**results, "evaluations": float(report.evaluations)})
        name = f"{row['task']}, observation {row['observation']}, seed {row['seed']}, {label(row['options'])}"
        said = " ".join(f"{key} {score:.3f}" for key, score in scores.items())
        print(f"[{done}/{len(rows)}] {name}: {said}", file=sys.stderr, flush=True)


def _distances(short: Array, long: Array) -> dict[str, float]:
    """Of draws from the same noise, in deviations of the long ones; the worst coordinate of mean and deviation."""
    scale = long.std(axis=0)
    return {
        "rms": float(np.sqrt(np.mean(((short - long) / scale) ** 2))),
        "mean": float(np.max(np.abs(short.mean(axis=0) - long.mean(axis=0)) / scale)),
        "deviation": float(np.max(np.abs(short.std(axis=0) / scale - 1))),
    }


def label(options: Mapping[str, Any]) -> str:
    """What tables call a set of options."""
    rest = {name: value for name, value in options.items() if name not in ("method", "steps")}
    words = [str(options[name]) for name in ("method", "steps") if name in options]
    return ", ".join([*words, *(f"{name} {value}" for name, value in rest.items())]) or "default"


def _report(rows: Sequence[Mapping[str, Any]], records: Records) -> str:
    """Markdown: a table for each task, means over observations and seeds.

    `c2st` is that against long draws, `accuracy` the C2ST against the published posterior.
    """
    measures = ("evaluations", "rms", "mean", "deviation", "c2st", "accuracy", "seconds")
    parts = []
    for task in dict.fromkeys(row["task"] for row in rows):
        lines = []
        for name in dict.fromkeys(label(row["options"]) for row in rows):
            found = [records[row] for row in rows if row["task"] == task and label(row["options"]) == name]
            lines.append(
                [name, *(float(np.mean([results.get(measure, np.nan) for results in found])) for measure in measures)]
            )
        parts += [f"## {task}", table(["options", *measures], lines)]
    return "\n\n".join(parts) + "\n"
