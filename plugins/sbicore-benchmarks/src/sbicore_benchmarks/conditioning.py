"""How should `time_mlp` see time and conditions? Step time, C2ST and held-out loss of each of its ways.

python -m sbicore_benchmarks.conditioning --out conditioning.jsonl
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence
from typing import Any

from sbicore_diagnostics import c2st

from ._problems import DRAWS, PROBLEMS
from ._records import Records, table
from ._training import draw, epochs_for, train

CONDITIONINGS: dict[str, dict[str, Any]] = {
    "time_film": {"conditioning": "time_film"},
    "time_film, shift alone": {"conditioning": "time_film", "film_use_gamma": False},
    "film": {"conditioning": "film"},
    "concat": {"conditioning": "concat"},
}


def main(argv: Sequence[str] | None = None) -> None:
    """Train every (problem, seed, conditioning) without a row, then print means (and sd) over seeds."""
    parser = argparse.ArgumentParser(prog="python -m sbicore_benchmarks.conditioning", description=__doc__)
    parser.add_argument("--problems", nargs="+", choices=tuple(PROBLEMS), default=list(PROBLEMS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--simulations", type=int, default=50_000, help="5 %% of them are held out")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--steps", type=int, default=10_000, help="rounded to whole epochs")
    parser.add_argument("--out", default="conditioning.jsonl", help="JSON lines; finished rows are skipped")
    options = vars(parser.parse_args(argv))

    records = Records(options.pop("out"))
    problems, seeds = options.pop("problems"), options.pop("seeds")
    lines = []
    for problem in problems:
        settings = [
            {"benchmark": "conditioning", "problem": problem, "conditioning": name, "seed": seed, **options}
            for seed in seeds
            for name in CONDITIONINGS
        ]
        for row in settings:
            if row not in records:
                records.append(row, measure(**row))
        for name in CONDITIONINGS:
            results = [records[row] for row in settings if row["conditioning"] == name]
            scores = [statistics.mean(result["c2st"]) for result in results]
            lines.append(
                [
                    problem,
                    name,
                    results[0]["parameters"],
                    statistics.median(result["step_ms"] for result in results),
                    statistics.mean(scores),
                    statistics.pstdev(scores),
                    statistics.mean(result["held_out_loss"] for result in results),
                ]
            )
    print(table(["problem", "conditioning", "parameters", "step_ms", "c2st", "sd", "held_out_loss"], lines))


def measure(
    benchmark: str, problem: str, conditioning: str, seed: int, simulations: int, batch_size: int, steps: int
) -> dict[str, object]:
    """Train one network and score it on the problem's observations."""
    simulate, references = PROBLEMS[problem]
    approximator, training = train(
        simulate(simulations, seed),
        epochs=epochs_for(steps, simulations, batch_size),
        batch_size=batch_size,
        seed=seed,
        subnet_kwargs=CONDITIONINGS[conditioning],
    )
    scores, facts = [], []
    for observable, reference in references():
        draws, sampling = draw(approximator, observable, DRAWS, seed)
        scores.append(c2st(draws, reference))
        facts.append(sampling)
    means = {name: statistics.mean(fact[name] for fact in facts) for name in facts[0]}
    return {"c2st": scores, **means, **training}


if __name__ == "__main__":
    main()
