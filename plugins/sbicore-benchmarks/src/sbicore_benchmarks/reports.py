"""Tables of results."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from ._records import Records, table
from .comparisons import PUBLISHED
from .published import TASKS
from .study import Unit

__all__ = ["accuracy_report", "mean_c2st"]

OTHER_SIMULATORS = ("sir", "lotka_volterra")
"""Tasks whose published scores belong to other simulators."""

Scored = Sequence[tuple[Unit, Records]]


def mean_c2st(scored: Scored, task: str, label: str, budget: int | str, metric: str = "fast") -> float | None:
    """Over observations and seeds; None where there are no scores."""
    scores = [
        records[row]["c2st"]
        for unit, records in scored
        if (unit.task, unit.contender.label, unit.budget) == (task, label, budget)
        for row in unit.rows()
        if row["metric"] == metric
    ]
    return statistics.fmean(scores) if scores else None


def accuracy_report(scored: Scored, missing: Mapping[str, str]) -> str:
    """Markdown: scores by task, beside published ones; costs; what is missing."""
    parts = []
    for budget in dict.fromkeys(unit.budget for unit, _ in scored):
        part = [(unit, records) for unit, records in scored if unit.budget == budget]
        title = budget if isinstance(budget, str) else f"{budget:,} simulations"
        parts += [f"## C2ST, {title}", _scores(part, budget), f"## Cost, {title}", _costs(part)]
    slow = [
        [
            unit.task,
            unit.contender.label,
            row["observation"],
            records[row]["c2st"],
            records[{**row, "metric": "fast"}]["c2st"],
        ]
        for unit, records in scored
        for row in unit.rows()
        if row["metric"] == "published"
    ]
    if slow:
        head = ["task", "", "observation", "published definition", "fast"]
        parts += ["## The published definition of the C2ST", table(head, slow)]
    if missing:
        parts += ["## Not measured", *(f"- {name}: {reason}" for name, reason in missing.items())]
    return "\n\n".join(parts) + "\n"


def _scores(scored: Scored, budget: int | str) -> str:
    labels = list(dict.fromkeys(unit.contender.label for unit, _ in scored))
    tasks = [task for task in TASKS if any(unit.task == task for unit, _ in scored)]
    sources = [s for s in PUBLISHED if set(s.tasks) & set(tasks) or (s.mean and len(tasks) == len(TASKS))]
    columns = [[mean_c2st(scored, task, label, budget) for task in tasks] for label in labels]
    columns += [[source.tasks.get(task) for task in tasks] for source in sources]
    means = [_means(tasks, column) for column in columns]
    for k, source in enumerate(sources, start=len(labels)):
        if source.mean is not None:
            means[k] = [source.mean, None]
    head = ["task", *labels, *(f"{source.label} ({source.simulations:,})" for source in sources)]
    rows = [[task, *(column[k] for column in columns)] for k, task in enumerate(tasks)]
    rows += [["mean", *(mean[0] for mean in means)]]
    if set(OTHER_SIMULATORS) <= set(tasks):
        rows += [[f"mean without {' and '.join(OTHER_SIMULATORS)}", *(mean[1] for mean in means)]]
    return table(head, [[_three(cell) for cell in row] for row in rows])


def _means(tasks: Sequence[str], column: Sequence[float | None]) -> list[float | None]:
    """Over all tasks, and over those whose published scores belong to the same simulator."""
    same = [score for task, score in zip(tasks, column, strict=True) if task not in OTHER_SIMULATORS]
    return [_mean(column), _mean(same)]


def _mean(column: Sequence[float | None]) -> float | None:
    known = [score for score in column if score is not None]
    return statistics.fmean(known) if known and len(known) == len(column) else None


def _costs(scored: Scored) -> str:
    names = ("parameters", "steps", "step_ms", "training_seconds", "sampling_seconds", "evaluations", "memory_mb")
    rows = []
    for unit, records in scored:
        facts = [records[row] for row in unit.rows()]
        medians = [_median([fact[name] for fact in facts]) for name in names]
        rows.append([unit.task, unit.contender.label, unit.seed, *medians])
    return table(["task", "", "seed", *names], [[_brief(cell) for cell in row] for row in rows])


def _median(values: Sequence[Any]) -> Any:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None


def _three(cell: Any) -> Any:
    return "" if cell is None else f"{cell:.3f}" if isinstance(cell, float) else cell


def _brief(cell: Any) -> Any:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else f"{cell:,}" if isinstance(cell, int) and cell > 9_999 else cell
