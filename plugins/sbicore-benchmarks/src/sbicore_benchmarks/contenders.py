"""Who takes part in a benchmark: sbicore with some network, or a method of another tool."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

from sbicore.errors import ConfigError
from sbicore.presets import preset_for, preset_of
from sbicore.registry import configure, resolve

from . import peers
from ._words import ONLINE, unknown
from .environments import PEERS, environment

__all__ = ["Contender", "ours", "peer", "peer_names"]

AUTO = "auto"
VALIDATION_FRACTION = 0.05
"""Held out of every training set; counted in the number of simulations."""
TRAINING = {"steps": 10_000, "batch_size": 256, "learning_rate": 5e-4}
"""Where neither a preset nor the user says it."""
STEPS_PER_EPOCH_ONLINE = 500
RATIO = "ratio"
"""Stands for `RatioApproximator`, which is no network by name; it draws by a Markov chain, given a uniform prior."""
WIDTHS = (256,) * 5


@frozen(eq=False)
class Contender:
    """How a process is started, and what it is told; `settings` is that part of it which names a result."""

    label: str
    command: tuple[str, ...]
    settings: Mapping[str, Any]
    variables: Mapping[str, str] = field(factory=dict)


def ours(
    network: str,
    *,
    budget: int | str,
    preset: str | None = AUTO,
    arguments: Mapping[str, Any] | None = None,
    fit: Mapping[str, Any] | None = None,
    bounds: Mapping[str, Any] | None = None,
    label: str | None = None,
) -> Contender:
    """sbicore with a network that draws.

    Args:
        network: name of the inference network, or `ratio`.
        budget: number of simulations, or `online`; decides the preset where that is `"auto"`.
        preset: of the network; None for its defaults.
        arguments: hyperparameters of the network and arguments of `sbicore.build`; they win over the preset.
        fit: options of `fit`; they win over the preset too.
        bounds: of the prior; by default draws outside a box are rejected, and half-open variables transformed.
        label: what tables call it.

    Raises:
        ConfigError and its kind: an unknown network, preset or argument; one that does not draw; a ratio without a
            box to draw from.
    """
    if network == RATIO:
        return _ratio(budget, arguments or {}, fit or {}, bounds or {}, label)
    declared = resolve(network)
    if "sample" not in declared.capabilities:
        raise ConfigError(f"{network!r} does not draw, so its draws cannot be judged\nChoose a network that samples.")
    if preset == AUTO:
        preset = preset_for(declared, 10**9 if budget == ONLINE else int(budget))
    chosen = preset_of(declared, preset) if preset else None
    given = dict(arguments or {})
    outer: dict[str, Any] = {name: given.pop(name) for name in ("standardize", "out_of_bounds") if name in given}
    if bounds:
        closed = all(side is not None for pair in bounds.values() for side in pair)
        outer = {"bounds": dict(bounds), "out_of_bounds": "reject" if closed else "transform", **outer}
    else:
        outer.pop("out_of_bounds", None)
    hyperparameters = chosen.completed(given) if chosen else given
    configure(network, kind="inference_network", **hyperparameters)
    from sbicore.training import FitOptions

    FitOptions.from_kwargs(**(fit or {}))
    options = {**TRAINING, "validation_fraction": VALIDATION_FRACTION, **(chosen.fit if chosen else {}), **(fit or {})}
    if "epochs" in (fit or {}):
        options.pop("steps")
    if budget == ONLINE:
        if "validation_fraction" not in (fit or {}):
            options.pop("validation_fraction")
        options.setdefault("num_batches_per_epoch", min(STEPS_PER_EPOCH_ONLINE, options.get("steps") or 10**9))
    FitOptions.from_kwargs(**options)
    words = [f"sbicore {network}", *([preset] if preset else [])]
    return Contender(
        label or ", ".join(words),
        (sys.executable, "-m", "sbicore_benchmarks.worker"),
        {"tool": "sbicore", "method": network, "arguments": {**hyperparameters, **outer}, "fit": options},
    )


def _ratio(
    budget: int | str,
    arguments: Mapping[str, Any],
    fit: Mapping[str, Any],
    bounds: Mapping[str, Any],
    label: str | None,
) -> Contender:
    from sbicore.approximators import RatioApproximator
    from sbicore.training import FitOptions

    if budget == ONLINE or not bounds or any(side is None for pair in bounds.values() for side in pair):
        raise ConfigError(
            "A ratio is measured on given simulations, and draws from a prior that is uniform in a box\n"
            "Choose a task such as two_moons and a number of simulations."
        )
    options = {**TRAINING, "validation_fraction": VALIDATION_FRACTION, **fit}
    FitOptions.from_kwargs(**options)
    described = {"bounds": dict(bounds), **arguments}
    RatioApproximator(inference_variables=["parameters"], inference_conditions=["observables"], **described)
    return Contender(
        label or f"sbicore {RATIO}",
        (sys.executable, "-m", "sbicore_benchmarks.worker"),
        {"tool": "sbicore", "method": RATIO, "arguments": described, "fit": options},
    )


def peer(name: str, *, training: Mapping[str, Any], bounds: Mapping[str, Any] | None = None) -> Contender:
    """A method of another tool, such as `sbi.npe`, trained with the same steps, batch size and learning rate.

    Raises:
        ConfigError: no such tool or method.
        PeerUnavailable: its environment cannot be made here.
    """
    tool, _, method = name.partition(".")
    if name not in peer_names():
        raise unknown("peer", name, peer_names())
    if "steps" not in training:
        raise ConfigError("Peers are told how many steps to train, and --fit gives epochs\nGive steps in their place.")
    described = PEERS[tool]
    shared = {key: training[key] for key in ("steps", "batch_size", "learning_rate", "validation_fraction")}
    low_high = dict(bounds or {}).get("parameters")
    return Contender(
        f"{tool.replace('_', ' ')} {method}",
        (str(environment(described)), str(Path(peers.__file__).parent / described.worker)),
        {
            "tool": tool,
            "method": method,
            "widths": list(WIDTHS),
            "bounds": None if low_high is None or None in low_high else [list(side) for side in low_high],
            **shared,
        },
        {**described.variables, "PYTHONPATH": ""},
    )


def peer_names() -> list[str]:
    """`tool.method` of all peers."""
    return [f"{name}.{method}" for name, tool in PEERS.items() for method in tool.methods]


def variables(contender: Contender, threads: int) -> dict[str, str]:
    """The environment of its process: this many threads (jax reads NPROC), and no accelerator."""
    count = str(threads)
    return {**os.environ, "OMP_NUM_THREADS": count, "NPROC": count, "CUDA_VISIBLE_DEVICES": "", **contender.variables}
