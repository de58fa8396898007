"""Trainings in processes of their own, their draws kept, their scores recorded; a killed study goes on."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import numpy as np
from attrs import frozen

from sbicore.errors import SbicoreError

from ._records import Records
from ._words import ONLINE
from .contenders import Contender
from .jobs import run_job, stop_jobs
from .tasks import observation, simulations

__all__ = ["Study", "Unit"]

Array = np.ndarray[Any, Any]


@frozen
class Unit:
    """One training, and the observations it is asked about."""

    task: str
    contender: Contender
    budget: int | str
    seed: int
    observations: tuple[int, ...]
    metrics: Mapping[int, tuple[str, ...]]
    """Methods of `c2st` for each observation."""
    draws: int

    @property
    def settings(self) -> dict[str, Any]:
        """What names the training in a file of results."""
        facts = {"task": self.task, "budget": self.budget, "seed": self.seed, "draws": self.draws}
        return {"benchmark": "accuracy", **facts, **self.contender.settings}

    def rows(self) -> list[dict[str, Any]]:
        """The settings of its scores."""
        return [
            {**self.settings, "observation": number, "metric": metric}
            for number in self.observations
            for metric in self.metrics[number]
        ]

    def __str__(self) -> str:
        budget = self.budget if self.budget == ONLINE else f"{self.budget:,} simulations"
        return f"{self.task}, {self.contender.label}, {budget}, seed {self.seed}"


class Study:
    """Runs units, and keeps draws in `folder/draws` and scores in `folder/accuracy.jsonl`.

    Args:
        folder: of the results.
        workers: trainings at a time, each with its share of the processors.
        threads: of each training; by default the processors divided by the workers.
    """

    def __init__(self, folder: Path, *, workers: int = 1, threads: int | None = None) -> None:
        self.records = Records(folder / "accuracy.jsonl")
        self.draws = folder / "draws"
        self.workers = workers
        self.threads = threads or max(1, (os.cpu_count() or 1) // workers)
        self.failed: dict[str, str] = {}

    def run(self, units: Sequence[Unit]) -> None:
        """Every unit with a score missing; one that fails is noted in `failed`, and the rest runs."""
        missing = [unit for unit in units if any(row not in self.records for row in unit.rows())]
        with ThreadPoolExecutor(self.workers) as pool:
            futures = {pool.submit(self._attempt, unit): unit for unit in missing}
            try:
                for done, future in enumerate(as_completed(futures), start=1):
                    unit, error = futures[future], future.result()
                    if error:
                        self.failed[str(unit)] = error
                    _tell(f"[{done}/{len(missing)}] {unit}: {error or self._line(unit)}")
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                stop_jobs()
                raise

    def _line(self, unit: Unit) -> str:
        scores = [self.records[row]["c2st"] for row in unit.rows()]
        return "c2st " + " ".join(f"{score:.3f}" for score in scores)

    def _attempt(self, unit: Unit) -> str | None:
        """Train, draw and score; what went wrong, if anything did."""
        _tell(f"{unit} ...")
        try:
            rows = [row for row in unit.rows() if row not in self.records]
            self._train(unit, sorted({row["observation"] for row in rows}))
            for row in rows:
                facts = json.loads(self._file(unit, row["observation"], "json").read_text(encoding="utf-8"))
                self.records.append(row, {"c2st": self._score(unit, row), **facts})
        except SbicoreError as error:
            return str(error)
        return None

    def _score(self, unit: Unit, row: Mapping[str, Any]) -> float:
        import torch
        from sbicore_diagnostics import c2st

        torch.set_num_threads(self.threads)
        reference = observation(unit.task, row["observation"]).draws[: unit.draws]
        return c2st(np.load(self._file(unit, row["observation"], "npy")), reference, method=row["metric"])

    def _train(self, unit: Unit, numbers: Sequence[int]) -> None:
        """One process for one training and its draws; nothing where an earlier run kept all of them."""
        numbers = [number for number in numbers if not self._is_kept(unit, number)]
        if not numbers:
            return
        online = unit.budget == ONLINE
        rows = {} if online else simulations(unit.task, int(unit.budget), unit.seed)
        observed = np.stack([observation(unit.task, number).observable for number in numbers])
        shared = {"simulator": unit.task if online else None, "draws": unit.draws, "densities": 0, "seed": unit.seed}
        shown = self.workers == 1 and unit.contender.settings["tool"] == "sbicore"
        job = {**unit.contender.settings, **shared, "threads": self.threads, "progress": shown}
        facts, draws = run_job(unit.contender, job, {**rows, "observed": observed})
        self.draws.mkdir(parents=True, exist_ok=True)
        seconds = facts.pop("sampling_seconds")
        for k, number in enumerate(numbers):
            own = {**facts, "sampling_seconds": seconds[k], "threads": self.threads, "workers": self.workers}
            for suffix in ("npy", "json"):
                file = self._file(unit, number, suffix)
                draft = file.with_suffix(".part")
                with draft.open("wb") as out:
                    if suffix == "npy":
                        np.save(out, draws[k])
                    else:
                        out.write(json.dumps(own).encode())
                draft.replace(file)

    def _is_kept(self, unit: Unit, number: int) -> bool:
        """Whether an earlier run left draws and facts of this observation that can be read."""
        try:
            json.loads(self._file(unit, number, "json").read_text(encoding="utf-8"))
            return len(np.load(self._file(unit, number, "npy"))) == unit.draws
        except (OSError, ValueError):
            return False

    def _file(self, unit: Unit, number: int, suffix: str) -> Path:
        """Draws (npy) and then, once these are complete, facts (json) of one observation."""
        text = json.dumps(unit.settings, sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self.draws / f"{unit.task}-{digest}-{number}.{suffix}"


def _tell(line: str) -> None:
    """Print a line at once, so that those of several threads do not run into each other."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
