"""The loop: AdamW, warm-up and cosine, averaged weights, validation, best weights restored.

Nothing inside a step waits for the device: losses are summed there, gradients are clipped by the
`grad_scale` of fused AdamW, and steps whose gradient is not finite are skipped by its `found_inf`
and counted.
"""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Protocol

import torch
from torch import Generator, Tensor, nn

from .._threads import suitable_threads
from ..devices import is_memory_error
from ..errors import TrainingError, TrainingWarning
from .averaging import AveragedWeights
from .checkpoint import Checkpoint, State
from .chunks import validation_rows
from .compilation import Compilation
from .flat import FlatParameters
from .history import FitEvent, History
from .options import FitOptions
from .progress import Progress
from .sources import Batch, Source

__all__ = ["Callback", "Fit", "Task", "mean_loss", "notifier", "train", "within_memory"]

_LOOK_EVERY = 100

Callback = Callable[[Any, FitEvent], None]


class Task(Protocol):
    """What is trained."""

    module: nn.Module
    comparable: bool
    """Whether the weights with the smallest validation loss are the best, rather than the last."""

    def loss(self, batch: Batch, generator: Generator) -> Tensor:
        """Per-sample loss `(B,)`."""
        ...


def train(
    task: Task,
    source: Source,
    options: FitOptions,
    history: History,
    *,
    seed: int,
    device: torch.device,
    notify: Callable[[FitEvent], None],
    progress: bool = True,
    checkpoint: Checkpoint | None = None,
) -> None:
    """Train in place; afterwards the module holds the best averaged weights, or the last where losses do not compare.

    With a checkpoint that has a state, training goes on from there.

    Raises:
        TrainingError: not one step or not one validation loss was finite; the module then holds the weights
            from before. Or memory does not suffice for a step.
    """
    options = options.in_epochs(source.steps_per_epoch)
    steps = options.epochs * source.steps_per_epoch
    fit = Fit(task, source, options, history, seed=seed, device=device, total_steps=steps)
    event = FitEvent(kind="started", history=history, epoch=0, epochs=options.epochs)
    history.stopped = "completed"
    try:
        notify(event)
        with Progress(steps, "training", enabled=progress) as bar, suitable_threads(device) as check:
            first = fit.restored(checkpoint)
            bar.update(fit.step)
            if first and (reason := fit.out_of_patience()):
                history.stopped, first = reason, options.epochs
            for epoch in range(first, options.epochs):
                with within_memory(source.batch_size):
                    diverged = fit.epoch(bar, check)
                event = FitEvent(kind="epoch", history=history, epoch=epoch + 1, epochs=options.epochs)
                notify(event)
                if checkpoint is not None:
                    checkpoint.write(fit.state(epoch + 1))
                reason = "diverged" if diverged else "callback" if event.stop_requested else fit.out_of_patience()
                if reason:
                    history.stopped = reason
                    break
    except KeyboardInterrupt:
        history.stopped = "interrupted"
        kept = f"{fit.kept} are kept" if fit.step else "nothing has been learnt yet"
        warnings.warn(f"Training interrupted after {len(history.loss)} epochs; {kept}.", TrainingWarning, stacklevel=6)
    finally:
        fit.finish()
    notify(FitEvent(kind="stopped", history=history, epoch=event.epoch, epochs=options.epochs))


@contextmanager
def within_memory(batch_size: int) -> Iterator[None]:
    """Raise TrainingError where memory does not suffice for steps of this size."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_memory_error(error):
            raise
        raise TrainingError(
            f"memory does not suffice for a training step of {batch_size} row{'s' * (batch_size > 1)}\n"
            "Give a smaller batch_size or network; subnets of images also have checkpointing=True and "
            "precision='bfloat16'."
        ) from error


class Fit:
    """The state of one fit; `who` is told in front of what it warns of."""

    def __init__(
        self,
        task: Task,
        source: Source,
        options: FitOptions,
        history: History,
        *,
        seed: int,
        device: torch.device,
        total_steps: int,
        who: str = "",
    ) -> None:
        self.task, self.source, self.options, self.history = task, source, options, history
        self.who = who
        self.device, self.total_steps = device, total_steps
        self.seed = seed
        self.generator = Generator(device=device).manual_seed(seed)
        self.weights = FlatParameters(task.module)
        self.optimizer = torch.optim.AdamW(
            self.weights.vectors, lr=options.learning_rate, weight_decay=options.weight_decay, fused=True
        )
        self.initial = self.weights.copy()
        self.averaged = AveragedWeights(self.weights, options.ema_decay)
        self.compilation = Compilation(task.module, options.compile, total_steps, device, source.batch_size)
        self.best: list[Tensor] | None = None
        self.best_loss = math.inf
        self.step = 0
        self.first_epoch = len(history.loss)
        if source.validation is not None:
            history.val_loss += [math.nan] * (self.first_epoch - len(history.val_loss))
        self.bad = torch.zeros((), device=device)

    def state(self, epochs: int) -> State:
        """All that decides the rest of the fit, after this many of its epochs."""
        tensors = {
            **{f"module.{name}": value for name, value in self.task.module.state_dict().items()},
            **{f"average.{i}": value for i, value in enumerate(self.averaged.average)},
            **{f"best.{i}": value for i, value in enumerate(self.best or ())},
            **{f"source.{name}": value for name, value in self.source.state().items()},
            "bad": self.bad,
            "generator": self.generator.get_state(),
            "default_generator": torch.get_rng_state(),
        }
        for i, moments in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{i}.{name}": value for name, value in moments.items()}
        facts = {
            "epochs": epochs,
            "step": self.step,
            "averaged": self.averaged.steps,
            "best_loss": self.best_loss if self.best is not None else None,
            "first_epoch": self.first_epoch,
            "history": self.history.to_dict(),
        }
        return State(tensors, facts)

    def restored(self, checkpoint: Checkpoint | None) -> int:
        """Take over a stored state; how many epochs it has done."""
        if checkpoint is None or checkpoint.state is None:
            return 0
        state = checkpoint.state
        facts = state.facts
        self.task.module.load_state_dict(state.part("module"))
        self.averaged.average = self._listed(state, "average")
        self.averaged.steps, self.step, self.first_epoch = facts["averaged"], facts["step"], facts["first_epoch"]
        if facts["best_loss"] is not None:
            self.best, self.best_loss = self._listed(state, "best"), facts["best_loss"]
        whole = self.optimizer.state_dict()
        whole["state"] = {i: state.part(f"optimizer.{i}") for i in range(len(self.weights.vectors))}
        self.optimizer.load_state_dict(whole)
        self.bad = state.tensors["bad"].to(self.device)
        self.generator.set_state(state.tensors["generator"])
        torch.set_rng_state(state.tensors["default_generator"])
        self.source.restore(state.part("source"))
        for name, value in facts["history"].items():
            setattr(self.history, name, value)
        return int(facts["epochs"])

    def _listed(self, state: State, name: str) -> list[Tensor]:
        part = state.part(name)
        return [part[str(i)].to(self.device) for i in range(len(part))]

    def epoch(self, bar: Progress, check_threads: Callable[[], None]) -> bool:
        """One epoch and its validation; True when training has diverged."""
        self.begin_epoch()
        with closing(self.source.epoch()) as batches:
            for batch in batches:
                self.learn(batch)
                bar.update()
                if not self.compilation.active:
                    check_threads()
                if self.has_diverged():
                    break
        diverged = self.end_epoch()
        bar.update(0, **self.history.latest())
        return diverged

    def begin_epoch(self) -> None:
        """Sums at zero, the module in training mode."""
        self.started = time.perf_counter()
        self.total = torch.zeros((), device=self.device)
        self.count, self.bad_before = 0, float(self.bad)
        self.seen, self.diverged = self.bad_before, False
        self.task.module.train()

    def learn(self, batch: Batch) -> None:
        """One step."""
        loss = mean_loss(self.task.loss(batch, self.generator), batch)
        loss.backward()
        self.update(loss.detach())

    def update(self, loss: Tensor) -> None:
        """Move the weights by the gradients of this loss, or skip the step where they are not finite."""
        self.optimizer.param_groups[0]["lr"] = self._learning_rate()
        norm = self.weights.gradient_norm()
        skip = (~(torch.isfinite(norm) & torch.isfinite(loss))).float()
        self.optimizer.found_inf = skip  # type: ignore[attr-defined]
        if self.options.clip_norm is not None:
            self.optimizer.grad_scale = (norm / self.options.clip_norm).clamp_min(1.0).float()  # type: ignore[attr-defined]
        self.optimizer.step()
        self.weights.zero_grad()
        self.averaged.update()
        self.bad += skip
        self.total += torch.where(skip.bool(), 0.0, loss)
        self.step += 1
        self.count += 1
        self.history.steps += 1
        self.compilation.after_step(self.step)

    def has_diverged(self) -> bool:
        """Whether all of the last hundred steps were skipped; looked at every hundred steps."""
        if self.step % _LOOK_EVERY == 0:
            bad = float(self.bad)
            self.diverged = bad - self.seen >= _LOOK_EVERY
            self.seen = bad
        return self.diverged

    def end_epoch(self) -> bool:
        """Validate and record; True when training has diverged."""
        skipped = float(self.bad) - self.bad_before
        good = self.count - skipped
        self.history.loss.append(float(self.total) / good if good else math.nan)
        self.history.learning_rate.append(self.optimizer.param_groups[0]["lr"])
        self.history.skipped_steps += int(skipped)
        self._validate()
        self.history.seconds.append(time.perf_counter() - self.started)
        return self.diverged or (not good and self.count > 0)

    def _learning_rate(self) -> float:
        warmup = int(self.options.warmup_fraction * self.total_steps)
        peak = self.options.learning_rate
        if self.step < warmup:
            return peak * (self.step + 1) / (warmup + 1)
        return peak * 0.5 * (1 + math.cos(math.pi * (self.step - warmup) / max(1, self.total_steps - warmup)))

    def _validate(self) -> None:
        """Validation loss of the averaged weights, with the same times and noise every epoch."""
        rows = self.source.validation
        if rows is None:
            self.history.val_loss += [math.nan] * bool(self.history.val_loss)
            return
        generator = Generator(device=self.device).manual_seed(self.seed + 1)
        count = len(next(iter(rows.values())))
        total, weight = torch.zeros((), device=self.device), torch.zeros((), device=self.device)
        self.task.module.eval()
        with torch.no_grad(), self.averaged.applied(), self.compilation.suspended():
            most = validation_rows(rows, self.source.batch_size, self.device)
            step = -(-count // -(-count // most))  # of about the same size, for losses that compare rows
            for start in range(0, count, step):
                chunk = {role: t[start : start + step].to(self.device) for role, t in rows.items()}
                loss = self.task.loss(chunk, generator)
                weights = chunk.get("sample_weight", torch.ones_like(loss))
                total += (weights * loss).sum()
                weight += weights.sum()
        value = float(total / weight)
        self.history.val_loss.append(value)
        if self.task.comparable and value < self.best_loss:
            self.best_loss, self.best = value, self.averaged.snapshot()
            self.history.best_epoch = len(self.history.loss) - 1

    def out_of_patience(self) -> str:
        """`patience` once validation has not improved for that long, else nothing."""
        best, patience = self.history.best_epoch, self.options.patience
        if patience is None or best is None:
            return ""
        return "patience" if len(self.history.loss) - 1 - max(best, self.first_epoch) >= patience else ""

    def finish(self) -> None:
        """Put the best weights in place and say what went wrong."""
        self.compilation.finish()
        self.history.compiled = self.compilation.active
        self.task.module.eval()
        kept = self.best if self.best is not None else self.averaged.average
        failure = self._failure(kept)
        self.weights.load(self.initial if failure else kept)
        self.weights.release()
        if failure:
            raise TrainingError(
                f"{failure}; the weights are those before the fit.\n"
                "Look at the data for extreme values (log or standardise them), or lower learning_rate or weight_decay."
            )
        if self.best is None and self.history.loss:
            self.history.best_epoch = len(self.history.loss) - 1
        if not self.bad:
            return
        diverged = self.history.stopped == "diverged"
        warnings.warn(
            f"{self.who}{int(self.bad)} of {self.step} training steps were skipped because loss or gradient was not "
            "finite" + (f"; training stopped and {self.kept} are kept." if diverged else "."),
            TrainingWarning,
            stacklevel=7,
        )

    @property
    def kept(self) -> str:
        """Which weights are put in place, in words."""
        return "the best weights so far" if self.best is not None else "the averaged weights of that moment"

    def _failure(self, kept: list[Tensor]) -> str:
        """Why the weights to be kept are of no use; nothing where they are."""
        if self.step and self.bad >= self.step:
            return f"None of {self.step} training steps had a finite loss"
        epochs = len(self.history.loss) - self.first_epoch
        validated = any(math.isfinite(value) for value in self.history.val_loss[self.first_epoch :])
        if self.source.validation is not None and epochs and not validated:
            return f"None of {epochs} epochs had a finite validation loss"
        if not all(bool(torch.isfinite(value).all()) for value in kept):
            return f"The weights overflowed within {self.step} training steps"
        return ""


def mean_loss(loss: Tensor, batch: Batch) -> Tensor:
    """The mean over the rows, weighted where they have weights."""
    if "sample_weight" not in batch:
        return loss.mean()
    weight = batch["sample_weight"]
    return (weight * loss).mean() / weight.mean()


def notifier(approximator: Any, callbacks: Iterable[Callback]) -> Callable[[FitEvent], None]:
    """Deliver events to the caller's callbacks, whose errors end the fit, and to extensions."""
    from .. import _extensions

    def notify(event: FitEvent) -> None:
        for callback in callbacks:
            callback(approximator, event)
        _extensions.deliver(approximator, event)

    return notify
