"""Accuracy on two moons: C2ST of flow matching with its defaults against the published reference posteriors.

python -m sbicore_benchmarks.two_moons --out results.jsonl
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from sbicore_diagnostics import c2st

from ._records import Records, table
from ._training import draw, epochs_for, train
from .config import TwoMoons
from .published import published

DRAWS = 10_000


def main(argv: Sequence[str] | None = None) -> None:
    """Train once, score each observation that has no row yet, print all rows of these settings."""
    parser = argparse.ArgumentParser(prog="python -m sbicore_benchmarks.two_moons", description=__doc__)
    parser.add_argument("--observations", type=int, nargs="+", default=[1, 2, 3], help="of the published ten")
    parser.add_argument("--simulations", type=int, default=100_000, help="5 %% of them are held out")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=20_000, help="rounded to whole epochs")
    parser.add_argument("--seed", type=int, default=1, help="of simulations, training and draws")
    parser.add_argument("--out", default="two_moons.jsonl", help="JSON lines; finished rows are skipped")
    options = vars(parser.parse_args(argv))

    records = Records(options.pop("out"))
    observations = options.pop("observations")
    settings = [{"benchmark": "two_moons", "observation": i, "draws": DRAWS, **options} for i in observations]
    missing = [row for row in settings if row not in records]
    if missing:
        simulations, batch_size, seed = options["simulations"], options["batch_size"], options["seed"]
        approximator, training = train(
            TwoMoons().sample(simulations, seed=seed),
            epochs=epochs_for(options["steps"], simulations, batch_size),
            batch_size=batch_size,
            seed=seed,
        )
        for row in missing:
            reference = published("two_moons", row["observation"])
            draws, sampling = draw(approximator, reference.observable, DRAWS, seed)
            records.append(row, {"c2st": c2st(draws, reference.draws[:DRAWS]), **sampling, **training})
    columns = (
        "c2st",
        "training_seconds",
        "steps",
        "step_ms",
        "sampling_seconds",
        "evaluations",
        "parameters",
    )
    rows = [[row["observation"], *(records[row][name] for name in columns)] for row in settings]
    print(table(["observation", *columns], rows))


if __name__ == "__main__":
    main()
