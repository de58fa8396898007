"""The loop for several members at once: one epoch of all, then the next."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import TYPE_CHECKING, cast

import torch

from .._threads import suitable_threads
from ..errors import TrainingError, TrainingWarning
from .history import EnsembleHistory, FitEvent
from .loop import Fit, Task, within_memory
from .options import FitOptions
from .progress import Progress
from .shared_rows import SharedRows
from .sources import Batch
from .stacked import Stacked, is_small, runs_stacked

if TYPE_CHECKING:
    from .sources import Source

__all__ = ["train_together"]


def train_together(
    tasks: Mapping[str, Task],
    source: SharedRows,
    options: FitOptions,
    history: EnsembleHistory,
    *,
    seed: int,
    device: torch.device,
    notify: Callable[[FitEvent], None],
    stack: bool | None,
    progress: bool = True,
) -> dict[str, TrainingError]:
    """Train the members in place; what those failed of that did, by name.

    Every member has its own best weights, patience and skipped steps, and noise of the same seed. With `stack` they run
    in one pass, by default where they are small and alike; this changes their numbers by rounding only.
    """
    options = options.in_epochs(source.steps_per_epoch)
    steps = options.epochs * source.steps_per_epoch
    fits = _Fits(tasks, source, options, history, seed=seed, device=device, total_steps=steps, stack=stack)
    event = FitEvent(kind="started", history=history, epoch=0, epochs=options.epochs)
    history.stopped = "completed"
    try:
        notify(event)
        with Progress(steps, "training", enabled=progress) as bar, suitable_threads(device) as check:
            for epoch in range(options.epochs):
                with within_memory(source.batch_size):
                    fits.epoch(bar, check)
                event = FitEvent(kind="epoch", history=history, epoch=epoch + 1, epochs=options.epochs)
                notify(event)
                if event.stop_requested:
                    fits.stop("callback")
                if not fits.running:
                    break
    except KeyboardInterrupt:
        fits.stop("interrupted")
        warnings.warn(
            f"Training interrupted after {len(history.loss)} epochs; {fits.kept} are kept.",
            TrainingWarning,
            stacklevel=6,
        )
    finally:
        failed = fits.finish()
    notify(FitEvent(kind="stopped", history=history, epoch=event.epoch, epochs=options.epochs))
    return failed


class _Fits:
    """The fits of all members, and which of them still run."""

    def __init__(
        self,
        tasks: Mapping[str, Task],
        source: SharedRows,
        options: FitOptions,
        history: EnsembleHistory,
        *,
        seed: int,
        device: torch.device,
        total_steps: int,
        stack: bool | None,
    ) -> None:
        self.source, self.history, self.seed = source, history, seed
        self.fits = {
            name: Fit(
                task,
                cast("Source", source),
                options,
                history.members[name],
                seed=seed,
                device=device,
                total_steps=total_steps,
                who=f"member {name!r}: ",
            )
            for name, task in tasks.items()
        }
        self.running = dict(self.fits)
        self.stopped: dict[str, str] = {}
        self.stack = stack
        self.stacked: Stacked | None = None

    def epoch(self, bar: Progress, check_threads: Callable[[], None]) -> None:
        """One epoch of all that run; those that are done with it stop."""
        for fit in self.running.values():
            fit.begin_epoch()
        places = [k for k, name in enumerate(self.fits) if name in self.running]
        with closing(self.source.together()) as steps:
            for batches in steps:
                self._step([batches[k] for k in places])
                bar.update()
                check_threads()
                diverged = [fit.has_diverged() for fit in self.running.values()]
                if all(diverged):
                    break
        for name, fit in list(self.running.items()):
            reason = "diverged" if fit.end_epoch() else fit.out_of_patience()
            if reason:
                self._stop(name, reason)
        self.history.add_epoch()
        bar.update(0, **self.history.latest())

    @property
    def kept(self) -> str:
        """Which weights the members end with, in words."""
        words = {fit.kept: None for fit in self.fits.values()}
        return " or ".join(words)

    def stop(self, reason: str) -> None:
        """End all that still run."""
        for name in list(self.running):
            self._stop(name, reason)

    def finish(self) -> dict[str, TrainingError]:
        """Put the best weights of each member in place; the errors of those that failed."""
        failed = {}
        for name, fit in self.fits.items():
            fit.history.stopped = self.stopped.get(name, "completed")
            try:
                fit.finish()
            except TrainingError as error:
                failed[name] = error
        reasons = set(self.stopped.values())
        if len(self.stopped) == len(self.fits):
            self.history.stopped = reasons.pop() if len(reasons) == 1 else "completed"
        return failed

    def _stop(self, name: str, reason: str) -> None:
        if self.stacked is not None:
            state = next(iter(self.running.values())).generator.get_state()
            for fit in self.running.values():
                fit.generator.set_state(state)
            self.stacked = None
        del self.running[name]
        self.stopped[name] = reason

    def _step(self, batches: list[Batch]) -> None:
        fits = list(self.running.values())
        if self.stacked is None and len(fits) > 1 and fits[0].step and self._may_stack(fits, batches):
            self.stacked = Stacked([fit.task for fit in fits], [fit.weights for fit in fits])
        if self.stacked is None:
            for fit, batch in zip(fits, batches, strict=True):
                fit.learn(batch)
            return
        losses = self.stacked.backward(batches, fits[0].generator)
        for fit, loss in zip(fits, losses, strict=True):
            fit.update(loss)

    def _may_stack(self, fits: list[Fit], batches: list[Batch]) -> bool:
        """Decided after the first step, which sets what a network takes from its first batch."""
        if self.stack is None:
            tasks = [fit.task for fit in fits]
            alike = len({_form(task) for task in tasks}) == 1 and is_small(tasks[0].module)
            self.stack = alike and runs_stacked(tasks, batches, self.seed)
        return self.stack


def _form(task: Task) -> tuple[object, ...]:
    """What alike modules have in common."""
    named = [*task.module.named_parameters(), *task.module.named_buffers()]
    return tuple((name, tuple(value.shape), value.dtype) for name, value in named)
