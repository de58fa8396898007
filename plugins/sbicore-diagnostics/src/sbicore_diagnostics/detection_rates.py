"""How often each diagnostic finds posteriors that were made wrong, and how often it finds fault with right ones.

python -m sbicore_diagnostics.detection_rates --out detection.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .metrics.calibration_log_gamma import calibration_log_gamma
from .metrics.expected_coverage import expected_coverage
from .metrics.hpd_coverage import hpd_coverage
from .metrics.local_c2st import local_c2st
from .metrics.mmd import mmd_test
from .metrics.posterior_z_score import posterior_z_score
from .metrics.quantile_calibration import quantile_calibration
from .metrics.sbc import sbc
from .metrics.tarp import tarp

SIZE = 2  # parameters
DATASETS, DRAWS = 500, 100
LEVEL = 0.05
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
AWAY = 4.0  # distance of the second mode in each parameter, in deviations


class Kind(NamedTuple):
    """A sort of posterior: weight of the second mode, and what the draws do with it and with the first."""

    second: float = 0.0
    drop: bool = False
    shift: float = 0.0
    deviation: float = 1.0


KINDS = {
    "calibrated": Kind(),
    "calibrated, two modes": Kind(second=0.15),
    "over-confident": Kind(deviation=0.8),
    "biased": Kind(shift=0.3),
    "mode-dropping": Kind(second=0.15, drop=True),
}


class Case(NamedTuple):
    """Data `(N, D)`, true values `(N, D)` and draws `(N, S, D)`, with what made them."""

    kind: Kind
    data: np.ndarray
    truths: np.ndarray
    draws: np.ndarray

    def log_density(self, values: np.ndarray, means: np.ndarray, *, exact: bool) -> np.ndarray:
        """Of values `(..., D)`, up to a constant, under the exact posterior or that of the draws."""
        kind = KINDS["calibrated"]._replace(second=self.kind.second) if exact else self.kind
        scaled = ((values - means - kind.shift) / kind.deviation) ** 2
        first = -0.5 * scaled.sum(axis=-1) - SIZE * np.log(kind.deviation)
        if not kind.second or kind.drop:
            return np.asarray(first)
        other = -0.5 * ((values - means - AWAY) ** 2).sum(axis=-1)
        return np.logaddexp(np.log(1 - kind.second) + first, np.log(kind.second) + other)


def case(name: str, seed: Sequence[int], datasets: int = DATASETS, draws: int = DRAWS) -> Case:
    """Data sets whose posteriors are normals around the data, perhaps with a second mode, and draws of that kind."""
    kind, rng = KINDS[name], np.random.default_rng(list(seed))
    data = 3 * rng.normal(size=(datasets, SIZE))

    def posterior(leading: tuple[int, ...], second: float) -> np.ndarray:
        modes = AWAY * (rng.random((*leading, 1)) < second)
        return np.asarray(rng.normal(size=(*leading, SIZE)) + modes)

    truths = data + posterior((datasets,), kind.second)
    noise = posterior((datasets, draws), 0.0 if kind.drop else kind.second)
    return Case(kind, data, truths, data[:, None] + kind.shift + kind.deviation * noise)


def _z_score(one: Case, seed: int) -> bool:
    """Whether mean or mean square of z-scores lie 2.5 standard errors from what draws of the exact posterior have."""
    z = posterior_z_score(one.draws, one.truths)
    alarms = []
    for found, expected in ((z, 0.0), (z**2, (1 + 1 / DRAWS) * (DRAWS - 1) / (DRAWS - 3))):
        alarms.append(np.abs(found.mean(axis=0) - expected) > 2.5 * found.std(axis=0, ddof=1) / np.sqrt(len(z)))
    return bool(np.any(alarms))


def _quantiles(one: Case, seed: int) -> bool:
    """Of draws, at places that hold their level exactly, as the default of NumPy does not."""
    estimates = {"quantiles": np.quantile(one.draws, QUANTILES, axis=1, method="weibull").swapaxes(0, 1)}
    p_values = quantile_calibration(estimates, one.truths, quantile_levels=QUANTILES).p_values
    return bool(p_values.min() <= LEVEL / SIZE)


def _hpd_coverage(one: Case, seed: int) -> bool:
    own = one.log_density(one.draws, one.data[:, None], exact=False)
    true = one.log_density(one.truths, one.data, exact=False)
    return bool(hpd_coverage(own, true, seed=seed).p_values[0] <= LEVEL)


def _density(one: Case, seed: int) -> bool:
    """Whether the true values are less probable than under the exact posterior, by 1.645 standard errors."""
    less = one.log_density(one.truths, one.data, exact=True) - one.log_density(one.truths, one.data, exact=False)
    return bool(less.mean() > 1.645 * less.std(ddof=1) / np.sqrt(len(less)))


def _local_c2st(one: Case, seed: int) -> bool:
    here = np.random.default_rng([9, seed]).integers(len(one.data))
    others = np.arange(len(one.data)) != here
    given = one.draws[others], one.truths[others], one.data[others]
    test = local_c2st(*given, observed_samples=one.draws[here], observed=one.data[here], permutations=99, seed=seed)
    return test.p_value <= LEVEL


def _reference(one: Case, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws of one posterior, and as many of the exact one: the true values of all data sets seen from theirs."""
    drawn = (one.draws - one.data[:, None])[:, 0]
    return drawn, np.random.default_rng([8, seed]).permutation(one.truths - one.data)


def _mmd(one: Case, seed: int) -> bool:
    return mmd_test(*_reference(one, seed), permutations=99, seed=seed).p_value <= LEVEL


DIAGNOSTICS: dict[str, Callable[[Case, int], bool]] = {
    "sbc": lambda one, seed: bool(sbc(one.draws, one.truths, seed=seed).p_values.min() <= LEVEL / SIZE),
    "calibration_log_gamma": lambda one, seed: bool(
        calibration_log_gamma(one.draws, one.truths, quantile=LEVEL / SIZE, seed=seed).min() < 0
    ),
    "expected_coverage": lambda one, seed: bool(
        expected_coverage(one.draws, one.truths, seed=seed).p_values.min() <= LEVEL / SIZE
    ),
    "quantile_calibration": _quantiles,
    "hpd_coverage": _hpd_coverage,
    "tarp": lambda one, seed: bool(tarp(one.draws, one.truths, seed=seed).p_values[0] <= LEVEL),
    "posterior_z_score": _z_score,
    "local_c2st": _local_c2st,
    "negative_log_density": _density,
    "mmd_test": _mmd,
}


def alarms(diagnostic: str, kind: str, repetitions: int) -> int:
    """How many of so many posteriors of this kind the diagnostic finds fault with."""
    place = list(KINDS).index(kind)
    return sum(DIAGNOSTICS[diagnostic](case(kind, (place, i)), i) for i in range(repetitions))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every pair without a line, then print a table of alarms."""
    parser = argparse.ArgumentParser(prog="python -m sbicore_diagnostics.detection_rates", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("detection.jsonl"), help="JSON lines; pairs there are skipped")
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--diagnostics", nargs="+", choices=tuple(DIAGNOSTICS), default=list(DIAGNOSTICS))
    options = parser.parse_args(argv)
    rows = [json.loads(line) for line in options.out.read_text("utf-8").splitlines()] if options.out.exists() else []
    done = {(row["diagnostic"], row["kind"]) for row in rows if row["repetitions"] == options.repetitions}
    facts = {
        "datasets": DATASETS,
        "draws": DRAWS,
        "versions": {package: version(package) for package in ("numpy", "scipy", "sbicore-diagnostics")},
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }
    for diagnostic in options.diagnostics:
        for kind in KINDS:
            if (diagnostic, kind) in done:
                continue
            started = time.process_time()
            found = alarms(diagnostic, kind, options.repetitions)
            row = {"diagnostic": diagnostic, "kind": kind, "alarms": found, "repetitions": options.repetitions}
            rows.append(row | {"seconds": round(time.process_time() - started, 1)} | facts)
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    shares = {(row["diagnostic"], row["kind"]): row["alarms"] / row["repetitions"] for row in rows}
    print(f"{'alarms, %':24}" + "".join(f"{kind:>24}" for kind in KINDS))
    for diagnostic in options.diagnostics:
        print(f"{diagnostic:24}" + "".join(f"{100 * shares[diagnostic, kind]:24.0f}" for kind in KINDS))


if __name__ == "__main__":
    main()
