"""Figures of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ._records import Records
from .comparisons import PUBLISHED
from .published import TASKS
from .reports import Scored, mean_c2st

__all__ = ["draw_accuracy", "draw_evaluations"]

TICKS = (5, 10, 20, 50, 100, 200, 500)
COLOURS = ("#1f5fa8", "#d9822b", "#2e8b57", "#8e4585", "#b03030", "#5a5a5a", "#00868b")


def draw_accuracy(scored: Scored, path: Path) -> None:
    """Scores by task for one budget, by budget for several; written to `path`."""
    from matplotlib.figure import Figure

    tasks = [task for task in TASKS if any(unit.task == task for unit, _ in scored)]
    labels = list(dict.fromkeys(unit.contender.label for unit, _ in scored))
    budgets = list(dict.fromkeys(unit.budget for unit, _ in scored))
    figure = Figure(figsize=(7.5, 2.0 + 0.34 * len(tasks)), layout="constrained")
    if len(budgets) == 1:
        _by_task(figure, scored, tasks, labels, budgets[0])
    else:
        figure.set_size_inches(3.3 * min(len(tasks), 4), 0.6 + 2.7 * -(-len(tasks) // 4))
        _by_budget(figure, scored, tasks, labels, budgets)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def _by_task(figure, scored, tasks, labels, budget):  # type: ignore[no-untyped-def]
    ax = figure.subplots()
    places = np.arange(len(tasks))[::-1]
    for source, marker in zip(PUBLISHED, ("|", "x", "+", ".", "."), strict=True):
        known = [(source.tasks[task], y) for task, y in zip(tasks, places, strict=True) if task in source.tasks]
        if known:
            x, y = zip(*known, strict=True)
            ax.plot(x, y, marker, color="0.45", ms=8, label=f"{source.label} ({source.simulations:,})")
    for label, colour in zip(labels, COLOURS * len(labels), strict=False):
        means = [mean_c2st(scored, task, label, budget) for task in tasks]
        for unit, records in scored:
            if unit.contender.label == label:
                y = places[tasks.index(unit.task)]
                scores = [records[row]["c2st"] for row in unit.rows() if row["metric"] == "fast"]
                ax.plot(scores, [y] * len(scores), "o", ms=3.5, color=colour, alpha=0.4)
        ax.plot([np.nan if m is None else m for m in means], places, "o", ms=7, color=colour, label=label)
    ax.axvline(0.5, color="0.8", lw=1, zorder=0)
    ax.set(yticks=places, yticklabels=tasks, xlabel="C2ST (0.5 is best); small dots: observations", xlim=(0.48, None))
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=8)


def _by_budget(figure, scored, tasks, labels, budgets):  # type: ignore[no-untyped-def]
    numbers = [budget for budget in budgets if not isinstance(budget, str)]
    grid = figure.subplots(-(-len(tasks) // 4), min(len(tasks), 4), squeeze=False, sharex=True)
    for ax in grid.flat[len(tasks) :]:
        ax.set_axis_off()
    tools = list(dict.fromkeys(label.partition(",")[0] for label in labels))
    for ax, task in zip(grid.flat, tasks, strict=False):
        for tool, colour in zip(tools, COLOURS * len(tools), strict=False):
            own = [label for label in labels if label.partition(",")[0] == tool]
            curve = [
                next((m for label in own if (m := mean_c2st(scored, task, label, n)) is not None), np.nan)
                for n in numbers
            ]
            ax.plot(numbers, curve, "o-", color=colour, label=tool)
        ax.axhline(0.5, color="0.8", lw=1, zorder=0)
        ax.set(title=task, xscale="log", ylim=(0.48, 1.0))
    for ax in grid[-1]:
        ax.set_xlabel("simulations")
    for ax in grid[:, 0]:
        ax.set_ylabel("C2ST")
    handles, names = grid.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(4, len(names)), frameon=False, fontsize=9)


def draw_evaluations(rows: Sequence[Mapping[str, Any]], records: Records, path: Path) -> None:
    """Distance draw by draw and C2ST over evaluations, a column of panels for each task; written to `path`."""
    from matplotlib.figure import Figure

    tasks = list(dict.fromkeys(row["task"] for row in rows))
    counts = [records[row]["evaluations"] for row in rows]
    figure = Figure(figsize=(3.0 * len(tasks) + 0.6, 5.6), layout="constrained")
    grid = figure.subplots(2, len(tasks), squeeze=False, sharex=True, sharey="row")
    curves = dict.fromkeys(_curve(row["options"]) for row in rows)
    for task, (above, below) in zip(tasks, grid.T, strict=True):
        for index, name in enumerate(curves):
            line = {"color": COLOURS[index % len(COLOURS)], "ls": "-" if index < len(COLOURS) else "--"}
            points: dict[float, list[tuple[float, float]]] = {}
            for row in rows:
                if row["task"] == task and _curve(row["options"]) == name:
                    found = records[row]
                    points.setdefault(found["evaluations"], []).append((found["rms"], found["c2st"]))
            if not points:
                continue
            places = sorted(points)
            means = np.array([np.mean(points[place], axis=0) for place in places])
            alone = len(places) == 1
            style = {"marker": "*" if alone else "o", "ms": 11 if alone else 4, "label": name, **line}
            above.plot(places, means[:, 0], **style)
            below.plot(places, means[:, 1], **style)
        above.set(title=task, xscale="log", yscale="log")
        below.set_xticks(TICKS, [str(tick) for tick in TICKS])
        below.set_xticks([], minor=True)
        above.axhline(0.05, color="0.8", lw=1, zorder=0)
        below.axhline(0.5, color="0.8", lw=1, zorder=0)
        below.set(xlabel="evaluations")
    grid[0, 0].set_xlim(0.9 * min(counts), 1.1 * max(counts))
    grid[0, 0].set_ylabel("distance in deviations")
    grid[1, 0].set_ylabel("C2ST against long draws")
    handles, names = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles, names, loc="outside lower center", ncols=min(2 * len(tasks), len(names)), frameon=False, fontsize=9
    )
    figure.savefig(path, dpi=150)


def _curve(options: Mapping[str, Any]) -> str:
    """Options that differ in the number of steps alone lie on one curve."""
    rest = [f"{name} {value}" for name, value in options.items() if name not in ("method", "steps")]
    return ", ".join([*([options["method"]] if "method" in options else []), *rest]) or "default"
