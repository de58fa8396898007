"""`sbicore quickstart`: from a real outbreak to a posterior, a figure and a saved model."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any, cast

__all__ = ["add", "train"]

_NEEDED = {
    "inference_network": ("flow_matching", "sbicore-flow-matching"),
    "subnet": ("time_mlp", "sbicore-mlp"),
}
_ROWS = {
    "beta": "beta (contacts a day)",
    "gamma": "gamma (1/day)",
    "phi_inv": "phi_inv (overdispersion)",
    "R0": "R0 = beta/gamma",
    "recovery_time": "recovery time (days)",
}
_PLOTTED = {"R0": "R0", "recovery_time": "recovery time (days)", "phi_inv": "phi_inv"}


def add(commands: Any) -> None:
    """Add the subcommand."""
    parser = commands.add_parser("quickstart", help="infer a real influenza outbreak")
    parser.add_argument("--out", type=Path, default=Path(), help="folder for the figure and the model (default: here)")
    parser.add_argument("--seed", type=int, default=1978, help="seed of simulation, training and draws")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Simulate, train, draw, print, plot, save."""
    missing = _missing()
    if missing:
        from .._index import install_command

        print(f"The quickstart needs {' and '.join(missing)}.\n{install_command(*missing)}", file=sys.stderr)
        return 1
    from ..examples import influenza

    started = time.perf_counter()
    options.out.mkdir(parents=True, exist_ok=True)
    if not os.access(options.out, os.W_OK):
        raise PermissionError(f"cannot write to the folder {options.out}; give another one with --out")
    print("Influenza in an English boarding school, 1978: 763 boys, those in bed on 14 days.")
    print(f"Data: {', '.join(map(str, influenza.IN_BED))}\n")
    print("Training flow matching on simulated outbreaks (about a minute) ...", flush=True)
    model = train(options.seed)
    draws = model.sample({"in_bed": influenza.IN_BED}, 10_000, seed=options.seed, progress=False)
    posterior = {name: value[0] for name, value in draws.items()}
    posterior["R0"] = posterior["beta"] / posterior["gamma"]
    posterior["recovery_time"] = 1 / posterior["gamma"]
    _print_table(posterior)
    figure, artifact = options.out / "quickstart.png", options.out / "quickstart.sbi"
    model.save(artifact)
    _plot(posterior, options.seed).savefig(figure, dpi=150)
    print(f"\nFigure: {figure}\nModel:  {artifact}\nDone in {time.perf_counter() - started:.0f} s.\n")
    print(
        "What next: load the model and ask it about another outbreak, without training again:\n"
        f"    import sbicore\n    model = sbicore.load({str(artifact)!r})\n"
        '    model.sample(conditions={"in_bed": counts_of_14_days}, num_samples=1000)\n'
        "Put your own simulator in the place of this one: docs/quickstart.md"
    )
    return 0


def train(seed: int) -> Any:
    """The trained approximator of the influenza model."""
    from ..adapter import Adapter
    from ..examples import influenza
    from ..registry import build

    model = build(
        "flow_matching",
        adapter=Adapter().log("in_bed", p1=True),
        inference_variables=list(influenza.PARAMETERS),
        inference_conditions=["in_bed"],
        bounds=dict.fromkeys(influenza.PARAMETERS, (0.0, None)),
    )
    data = influenza.simulator().sample(100_000, seed=seed)
    if model.fit(data, epochs=25, batch_size=256, seed=seed).stopped == "interrupted":
        raise KeyboardInterrupt
    return model


def _missing() -> list[str]:
    from importlib.util import find_spec

    from .._index import entries

    missing = [distribution for kind, (name, distribution) in _NEEDED.items() if not entries(kind, name)]
    return missing + ([] if find_spec("sbicore_diagnostics") else ["sbicore-diagnostics"])


def _print_table(posterior: dict[str, Any]) -> None:
    import numpy as np

    print(f"\n{'':26}{'median':>10}{'5 %':>10}{'95 %':>10}")
    for name, values in posterior.items():
        low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
        print(f"{_ROWS[name]:26}{median:10.3f}{low:10.3f}{high:10.3f}")


def _plot(posterior: dict[str, Any], seed: int) -> Any:
    """Posterior pairs beside the predictive band over the data."""
    import numpy as np
    from matplotlib.figure import Figure

    from .. import diagnostics
    from ..examples import influenza

    parameters = {name: posterior[name][:1000].astype(float) for name in influenza.PARAMETERS}
    predicted = influenza.outbreak(**parameters, rng=np.random.default_rng(seed))["in_bed"]
    figure = Figure(figsize=(14, 6.5), layout="constrained")
    left, right = cast("Any", figure.subfigures(1, 2, width_ratios=[1.1, 1]))
    diagnostics.pairs_posterior(
        {name: posterior[name] for name in _PLOTTED},
        variable_names=list(_PLOTTED.values()),
        bounds=dict.fromkeys(_PLOTTED, (0.0, None)),
        figure=left,
    )
    diagnostics.predictive_band(
        predicted,
        influenza.IN_BED,
        times=np.arange(1, 15),
        xlabel="day",
        ylabel="boys in bed",
        ax=right.subplots(),
    )
    return figure
