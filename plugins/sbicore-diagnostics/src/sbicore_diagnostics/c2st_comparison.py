"""The fast C2ST beside the published one, on pairs of sets from known distributions.

python -m sbicore_diagnostics.c2st_comparison --out c2st.jsonl
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np

from .metrics.c2st import c2st

Draw = Callable[[np.random.Generator, int, int], np.ndarray]


def normal(shift: float = 0.0, deviation: float = 1.0) -> Draw:
    """Independent normals."""
    return lambda rng, size, d: shift + deviation * rng.normal(size=(size, d))


def correlated(correlation: float) -> Draw:
    """Standard normals, each two of them with this correlation."""
    return lambda rng, size, d: (
        np.sqrt(correlation) * rng.normal(size=(size, 1)) + np.sqrt(1 - correlation) * rng.normal(size=(size, d))
    )


def student_t(freedom: float) -> Draw:
    """Independent variables with heavy tails."""
    return lambda rng, size, d: rng.standard_t(freedom, size=(size, d))


def two_modes(weight: float) -> Draw:
    """Normals around (2, 2, ...) with this weight, and around (-2, -2, ...)."""
    return lambda rng, size, d: rng.normal(size=(size, d)) + np.where(rng.random((size, 1)) < weight, 2.0, -2.0)


def ring(width: float) -> Draw:
    """A ring of radius 1 in two dimensions."""

    def draw(rng: np.random.Generator, size: int, d: int) -> np.ndarray:
        angle, radius = rng.uniform(0, 2 * np.pi, size), 1 + width * rng.normal(size=size)
        return radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)

    return draw


PAIRS: dict[str, tuple[int, int, Draw, Draw]] = {
    "normal, 2": (2, 10_000, normal(), normal()),
    "normal, 2, shifted by 0.5": (2, 10_000, normal(0.5), normal()),
    "normal, 2, shifted by 3": (2, 10_000, normal(3.0), normal()),
    "ring, 2, 0.15 wide beside 0.1": (2, 10_000, ring(0.15), ring(0.1)),
    "normal, 5": (5, 10_000, normal(), normal()),
    "normal, 5, deviation 0.8": (5, 10_000, normal(0, 0.8), normal()),
    "normal, 5, correlation 0.5": (5, 10_000, correlated(0.5), normal()),
    "two modes, 5, weights 0.35 and 0.65": (5, 10_000, two_modes(0.35), two_modes(0.5)),
    "Student-t, 5, 3 degrees of freedom": (5, 4_000, student_t(3), normal()),
    "normal, 10, shifted by 0.2": (10, 10_000, normal(0.2), normal()),
    "normal, 10, deviation 0.9": (10, 10_000, normal(0, 0.9), normal()),
    "normal, 10, deviation 0.6": (10, 4_000, normal(0, 0.6), normal()),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every pair without a line, then print all."""
    parser = argparse.ArgumentParser(prog="python -m sbicore_diagnostics.c2st_comparison", description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("c2st.jsonl"), help="JSON lines; finished pairs are skipped")
    parser.add_argument("--pairs", nargs="+", choices=tuple(PAIRS), default=list(PAIRS), metavar="PAIR")
    options = parser.parse_args(argv)
    rows = [json.loads(line) for line in options.out.read_text("utf-8").splitlines()] if options.out.exists() else []
    for name in options.pairs:
        if name not in {row["pair"] for row in rows}:
            rows.append(measure(name))
            with options.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
    print(f"{'pair':38}{'draws':>8}{'published':>11}{'fast':>8}{'difference':>12}{'seconds':>16}")
    for row in rows:
        seconds = f"{row['published_seconds']:.1f} -> {row['fast_seconds']:.1f}"
        scores = f"{row['published']:11.4f}{row['fast']:8.4f}{row['fast'] - row['published']:+12.4f}"
        print(f"{row['pair']:38}{row['draws']:8}{scores}{seconds:>16}")


def measure(name: str) -> dict[str, object]:
    """Both scores of one pair, with the processor time that each took."""
    dimension, draws, first, second = PAIRS[name]
    rng = np.random.default_rng([1, list(PAIRS).index(name)])
    samples, reference = first(rng, draws, dimension), second(rng, draws, dimension)
    row: dict[str, object] = {"pair": name, "dimension": dimension, "draws": draws}
    for method in ("published", "fast"):
        c2st(rng.normal(size=20), rng.normal(size=20), method=method)  # what is imported at first is not counted
        started = time.process_time()
        row[method] = round(c2st(samples, reference, method=method), 6)
        row[f"{method}_seconds"] = round(time.process_time() - started, 2)
    versions = {package: version(package) for package in ("numpy", "scikit-learn", "torch", "sbicore-diagnostics")}
    threads = os.environ.get("OMP_NUM_THREADS")
    return row | {"python": platform.python_version(), "versions": versions, "OMP_NUM_THREADS": threads}


if __name__ == "__main__":
    main()
