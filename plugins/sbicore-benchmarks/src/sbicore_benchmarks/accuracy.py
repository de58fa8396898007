"""`sbicore benchmark accuracy` and `peers`: C2ST on the published tasks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from sbicore.errors import ConfigError

from ._words import as_budget, as_count, as_folder, as_mapping, unknown
from .contenders import Contender, ours, peer, peer_names
from .environments import PeerUnavailable
from .figures import draw_accuracy
from .published import OBSERVATIONS, TASKS
from .reports import accuracy_report
from .study import Study, Unit
from .tasks import known_task, observation, prior_bounds

__all__ = ["SUITES", "run"]

SUITES: Mapping[str, Mapping[str, Any]] = {
    "ci": {"task": ["two_moons"], "budget": [1_000], "observation": [1], "draws": 2_000},
    "quick": {"task": ["two_moons", "slcp"], "budget": [10_000], "observation": [1, 2, 3], "draws": 10_000},
    "full": {"task": list(TASKS), "budget": [100_000], "observation": [1, 2, 3], "draws": 10_000},
}
DRAWS = 10_000


def run(options: argparse.Namespace) -> int:
    """Measure what is missing, then write and print the report; 1 where something could not be measured."""
    chosen = _chosen(options)
    workers = as_count(options.workers, "--workers")
    threads = None if options.threads is None else as_count(options.threads, "--threads")
    as_folder(options.out)
    study = Study(options.out, workers=workers, threads=threads)
    missing: dict[str, str] = {}
    units = [
        Unit(
            task=task,
            contender=contender,
            budget=budget,
            seed=seed,
            observations=tuple(chosen["observation"]),
            metrics={
                number: ("fast", "published") if task in options.published_c2st and not k else ("fast",)
                for k, number in enumerate(chosen["observation"])
            },
            draws=chosen["draws"],
        )
        for task in chosen["task"]
        for budget in chosen["budget"]
        for seed in dict.fromkeys(options.seed)
        for contender in _contenders(options, task, budget, missing)
    ]
    for task in chosen["task"]:
        for number in chosen["observation"]:
            observation(task, number)
    study.run(units)
    scored = [(unit, study.records) for unit in units if str(unit) not in study.failed]
    report = accuracy_report(scored, {**missing, **study.failed})
    name = options.report
    (options.out / f"{name}.md").write_text(report, encoding="utf-8")
    print(report)
    if scored:
        draw_accuracy(scored, options.out / f"{name}.png")
        print(f"Rows: {study.records.path}\nTable: {options.out / f'{name}.md'}\nFigure: {options.out / f'{name}.png'}")
    return 1 if missing or study.failed else 0


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    """Tasks, budgets, observations and draws: of the suite, unless given."""
    if options.suite is not None and options.suite not in SUITES:
        raise unknown("suite", options.suite, SUITES)
    suite = SUITES[options.suite or "full"]
    chosen = {key: suite[key] if getattr(options, key) is None else getattr(options, key) for key in suite}
    for task in (*chosen["task"], *options.published_c2st):
        known_task(task)
    for task in options.published_c2st:
        if task not in chosen["task"]:
            raise ConfigError(f"--published-c2st names {task!r}, which is not among the tasks\nAdd it to --task.")
    for number in chosen["observation"]:
        if not 1 <= number <= OBSERVATIONS:
            raise ConfigError(f"There is no observation {number}\nGive some of 1 to {OBSERVATIONS}.")
    for seed in options.seed:
        if seed < 0:
            raise ConfigError(f"a seed is a whole number of at least 0, got {seed}")
    if not 50 <= chosen["draws"] <= DRAWS:
        raise ConfigError(f"--draws takes 50 to {DRAWS}, the size of the reference; got {chosen['draws']}")
    chosen["budget"] = [as_budget(budget) for budget in chosen["budget"]]
    several = ("task", "budget", "observation")
    return {key: list(dict.fromkeys(value)) if key in several else value for key, value in chosen.items()}


def _contenders(
    options: argparse.Namespace, task: str, budget: int | str, missing: dict[str, str]
) -> Sequence[Contender]:
    """Ours, then the peers that can be had; notes in `missing` those that cannot."""
    bounds = prior_bounds(task)
    own = [
        ours(
            network,
            budget=budget,
            preset=None if options.preset == "none" else options.preset,
            arguments=as_mapping(options.hyperparameters, "--hyperparameters"),
            fit=as_mapping(options.fit, "--fit"),
            bounds=bounds,
        )
        for network in dict.fromkeys(options.network)
    ]
    others = []
    for name in peer_names() if options.peer is None else dict.fromkeys(options.peer):
        if name in missing:
            continue
        if budget == "online":
            missing[f"{name}, online"] = "peers are measured on given simulations only"
            continue
        try:
            others.append(peer(name, training=own[0].settings["fit"], bounds=bounds))
        except PeerUnavailable as error:
            missing[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
    return [*own, *others]
