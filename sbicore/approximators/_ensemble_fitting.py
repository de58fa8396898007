"""How the members of an ensemble learn from the same data."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import torch

from ..devices import usable_device
from ..errors import ConfigError, TrainingError, TrainingWarning
from ..randomness import as_seed, seed_for
from ..training import FitEvent, FitOptions
from ..training.history import EnsembleHistory
from ..training.loop import notifier
from ..training.shared_rows import FreshWindows, OwnOrders, SharedRows, pool_size
from ..training.sources import FreshSource, MemorySource
from ..training.together import train_together
from ._checks import checked_callbacks
from ._fitting import Ingest, LossTask

if TYPE_CHECKING:
    from .ensemble import EnsembleApproximator

__all__ = ["fit"]


@torch.inference_mode(False)
@torch.enable_grad()
def fit(
    ensemble: EnsembleApproximator,
    data: Any,
    *,
    data_reuse: float = 1.0,
    vectorize: bool | None = None,
    validation_data: Any = None,
    seed: int | None = None,
    device: Any = None,
    callbacks: Iterable[Callable[[Any, FitEvent], None]] = (),
    progress: bool = True,
    checkpoint: Any = None,
    **options: Any,
) -> EnsembleHistory:
    """Train all members. See `EnsembleApproximator.fit`."""
    members = ensemble.by_name
    first = next(iter(members.values()))
    settings = FitOptions.completed(options, ensemble.fit_kwargs)
    if settings.compile == "auto":
        settings = settings.replace(compile="never")
    if checkpoint is not None:
        raise ConfigError("an ensemble writes no checkpoint\nLeave checkpoint= out, or fit its members one by one.")
    if isinstance(data_reuse, bool) or not isinstance(data_reuse, (int, float)) or not 0 <= data_reuse <= 1:
        raise ConfigError(
            f"data_reuse must be a number from 0 to 1, got {data_reuse!r}\n"
            "1 lets all members learn from all rows, 0 gives each rows of its own."
        )
    if vectorize not in (None, True, False):
        raise ConfigError(f"vectorize takes True, False or None, got {vectorize!r}")
    callbacks = checked_callbacks(callbacks)
    seed = as_seed(seed)
    target = usable_device(device) if device is not None else first.device
    pool = pool_size(settings.batch_size, len(members), data_reuse)
    ingest = Ingest(first, settings, seed, target, progress, pool)
    before = {name: member.history.steps for name, member in members.items()}
    failed: dict[str, TrainingError] = {}
    try:
        source = ingest.source(data, validation_data, given=options)
        for k, member in enumerate(members.values()):
            if not member.is_built:
                member.build(first.pipeline.events, seed=seed_for(seed, 5, k))
                member.standardizers = first.standardizers
        ensemble.to(target)
        rows = _shared(source, len(members), data_reuse, settings.batch_size, seed_for(seed, 3))
        steps = settings.in_epochs(rows.steps_per_epoch).epochs * rows.steps_per_epoch
        for member in members.values():
            if callable(plan := getattr(member.network, "plan", None)):
                plan(steps)
            member.history.seed = seed
        ensemble.history.seed = seed
        with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
            torch.manual_seed(seed_for(seed, 1, 0))  # dropout draws from torch's default generator
            failed = train_together(
                {name: LossTask(member, settings.patience) for name, member in members.items()},
                rows,
                settings,
                ensemble.history,
                seed=seed_for(seed, 1),
                device=target,
                notify=notifier(ensemble, callbacks),
                stack=False if settings.compile == "always" else vectorize,
                progress=progress,
            )
    finally:
        for name, member in members.items():
            member.is_trained |= name not in failed and member.history.steps > before[name]
        if not any(member.is_trained for member in members.values()):
            ensemble.forget_data()
    ingest.clean.finish(depth=5)
    _leave_out(ensemble, failed)
    return ensemble.history


def _leave_out(ensemble: EnsembleApproximator, failed: dict[str, TrainingError]) -> None:
    """Go on without members that have learnt nothing; the error where there is no other."""
    if failed and len(failed) == len(ensemble.members):
        name, error = next(iter(failed.items()))
        raise TrainingError(f"All of {len(failed)} members failed. Member {name!r}: {error}") from error
    for name, error in failed.items():
        kept = ensemble.by_name[name].is_trained
        if not kept:
            ensemble.leave_out(name)
        warnings.warn(
            f"member {name!r} failed and "
            + ("keeps its weights from before" if kept else f"is left out, {len(ensemble.members)} remain")
            + f": {str(error).partition(';')[0]}.",
            TrainingWarning,
            stacklevel=6,
        )


def _shared(source: Any, members: int, data_reuse: float, batch_size: int, seed: int) -> SharedRows:
    if isinstance(source, MemorySource):
        if source.count < members and data_reuse < 1:
            raise ConfigError(
                f"{source.count} training rows cannot be shared out among {members} members\nGive data_reuse=1."
            )
        return OwnOrders(source, members, data_reuse, batch_size, seed=seed)
    fresh: FreshSource = source
    return FreshWindows(fresh, members, data_reuse, batch_size)
