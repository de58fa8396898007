"""What `fit` does before and after the training loop."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn
from torch.utils.data import DataLoader, Dataset

from ..devices import usable_device
from ..errors import ConfigError, DataError, DataWarning, TrainingError
from ..randomness import as_seed, seed_for
from ..stores import Store
from ..training import FitEvent, FitOptions, History
from ..training.checkpoint import Checkpoint, digest
from ..training.compilation import compiles
from ..training.loop import notifier, train
from ..training.padding import padded
from ..training.pieces import PieceSource
from ..training.sources import Batch, FreshSource, MemorySource, Source, require_same_names
from ._batches import RowWatch, gathered
from ._channels import warn_of_channels
from ._checks import checked_callbacks
from ._masks import mask_of, masked_names, require_one_length
from ._misspelt import warn_of_roleless
from ._pipeline import WEIGHT
from ._roles import ROLES, role_of
from ._rows import Cleaner, by_slices, row_events
from ._simulated import Watched
from ._standardizer import Moments, require_size, warn_of_drift, warn_of_offsets
from ._survey import Survey
from ._tables import as_columns
from ._unused import refuse_unused
from ._weights import WeightMean, refuse_weights

if TYPE_CHECKING:
    from ._approximator import Approximator

__all__ = ["Ingest", "LossTask", "fit"]

PILOT_ROWS = 4_096
"""Rows simulated before online training, to standardise and to validate; fewer for a shorter training."""
_PILOT_AT_LEAST = 512


class LossTask:
    """The loss of a batch: embedded conditions into the network's own loss."""

    def __init__(self, model: Approximator, patience: int | None) -> None:
        self.module: nn.Module = model
        self.model = model
        self.comparable = getattr(model.network, "comparable_losses", True)
        if patience is not None and not self.comparable:
            raise ConfigError(
                f"patience={patience} waits for a better validation loss, and those of {model.config.name!r} "
                "do not compare between steps\nLeave patience out."
            ).within("patience")

    def loss(self, batch: Batch, generator: Generator) -> Tensor:
        """Per-sample loss `(B,)`."""
        return self.model.network.loss(batch["inference_variables"], self.model.embed(batch), generator=generator)


@torch.inference_mode(False)
@torch.enable_grad()
def fit(
    model: Approximator,
    data: Any,
    *,
    validation_data: Any = None,
    seed: int | None = None,
    device: Any = None,
    callbacks: Iterable[Callable[[Any, FitEvent], None]] = (),
    progress: bool = True,
    checkpoint: Any = None,
    **options: Any,
) -> History:
    """Train `model`. See `Approximator.fit`."""
    settings = FitOptions.completed(options, model.fit_kwargs)
    if settings.compile == "auto" and not compiles(model.config):
        settings = settings.replace(compile="never")
    callbacks = checked_callbacks(callbacks)
    file = None if checkpoint is None else Checkpoint(checkpoint)
    seed = as_seed(file.seed if file is not None and seed is None else seed)
    target = usable_device(device) if device is not None else model.device
    ingest = Ingest(model, settings, seed, target, progress)
    before = model.history.steps
    try:
        source = ingest.source(data, validation_data, given=options)
        model.require_source(source)
        task = LossTask(model, settings.patience)
        model.to(target)
        if file is not None:
            file.open(_about(model, settings, source, seed))
        goes_on = file is not None and file.state is not None
        if not goes_on and callable(plan := getattr(model.network, "plan", None)):
            plan(settings.in_epochs(source.steps_per_epoch).epochs * source.steps_per_epoch)
        model.history.seed = seed
        with torch.random.fork_rng(devices=[target] if target.type == "cuda" else []):
            torch.manual_seed(seed_for(seed, 1, 0))  # dropout draws from torch's default generator
            train(
                task,
                source,
                settings,
                model.history,
                seed=seed_for(seed, 1),
                device=target,
                notify=notifier(model, callbacks),
                progress=progress,
                checkpoint=file,
            )
    except TrainingError:
        before = model.history.steps
        raise
    finally:
        model.is_trained |= model.history.steps > before
        if not model.is_trained:
            model.forget_data()
    ingest.clean.finish(depth=5)
    return model.history


def _about(model: Approximator, settings: FitOptions, source: Source, seed: int) -> dict[str, Any]:
    """What two fits have in common if one can go on where the other stopped."""
    rows = source.about()
    if rows is None:
        raise ConfigError(
            "checkpoint needs data that another process can read again from the start\n"
            "Give all rows in one dict of arrays or a store, or a simulator."
        )
    chosen = settings.in_epochs(source.steps_per_epoch).to_dict().items()
    summary, bounds = model.summary_config, model.bounds.items()
    return {
        "network": [model.config.to_dict(), summary and summary.to_dict()],
        "bounds": {
            name: [torch.as_tensor(() if end is None else end).tolist() for end in pair] for name, pair in bounds
        },
        "options": {name: value for name, value in chosen if name not in ("background", "compile")},
        "data": rows + digest(model.standardizers.state_dict()),
        "seed": seed,
    }


class Ingest:
    """Builds the model from its first data and makes sources of batches.

    With `pool`, each step has this many rows instead of `batch_size` where they do not all lie in memory.
    """

    def __init__(
        self,
        model: Approximator,
        settings: FitOptions,
        seed: int,
        device: torch.device,
        progress: bool,
        pool: int | None = None,
    ) -> None:
        self.model, self.settings, self.seed, self.device, self.progress = model, settings, seed, device, progress
        self.rows_at_once = pool or settings.batch_size
        self.clean = self._cleaner("data")

    def source(self, data: Any, validation_data: Any, *, given: Mapping[str, Any]) -> Source:
        """Batches from whatever `fit` was given, with these options."""
        known = self.model.pipeline.categories
        data, validation_data = as_columns(data, known), as_columns(validation_data, known)
        if isinstance(data, Dataset) and not isinstance(data, Iterable):
            data = DataLoader(data, self.settings.batch_size)
        simulated = not isinstance(data, (Mapping, Store)) and callable(getattr(data, "sample", None))
        refuse_unused(given, simulated=simulated, validated=validation_data is not None)
        if isinstance(validation_data, Mapping):
            refuse_weights(self.model.config, validation_data, "validation_data")
        if isinstance(data, Mapping):
            return self.memory(data, validation_data)
        if isinstance(data, Store):
            return self.store(data, validation_data)
        if simulated:
            return self.simulator(data, validation_data)
        if isinstance(data, Iterator):
            watch = RowWatch()
            rows = gathered(watch.over(data), varying=self.model.pipeline.reading.varying)
            if not self.model.is_built:
                watch.warn(depth=6)
            return self.memory(rows, validation_data)
        if isinstance(data, Iterable) and not isinstance(data, (str, bytes)):
            return self.stream(data, validation_data, split="validation_fraction" in given)
        raise DataError(
            f"fit cannot train on {type(data).__name__}.\n"
            "Give a dict of arrays, a simulator with sample(n, seed=...), an iterable of dict batches, "
            "or sbicore.open_store(path)."
        )

    def memory(self, data: Mapping[str, Any], validation_data: Any) -> Source:
        """All rows at once."""
        self._build(data)
        rows = self.clean(data)
        self.clean.finish(depth=7)
        self.clean = self._cleaner("data")
        count = len(rows["inference_variables"])
        held = 0 if validation_data is not None else round(self.settings.validation_fraction * count)
        if held >= count:
            held = 0
        order = torch.randperm(count, generator=Generator().manual_seed(seed_for(self.seed, 2)))
        train_rows = {role: value[order[held:]] for role, value in rows.items()}
        self._moments(train_rows)
        held_out = None if validation_data is None else self._held_out(validation_data)
        if held:
            held_rows = {role: value[order[:held]] for role, value in rows.items()}
            held_out = self._weighed(held_rows, "rows held out for validation")
        remaining = count - held
        if remaining < self.settings.batch_size:
            warnings.warn(
                f"{remaining} training rows are fewer than batch_size={self.settings.batch_size}; "
                f"each step uses all {remaining}.",
                DataWarning,
                stacklevel=7,
            )
        return MemorySource(
            self._weighed(train_rows, "training rows"),
            held_out,
            self.settings.batch_size,
            device=self.device,
            seed=seed_for(self.seed, 3),
        )

    def simulator(self, simulator: Any, validation_data: Any) -> Source:
        """Fresh rows for every step; the pilot that sets the standardisation validates."""
        settings = self.settings.in_epochs(self.settings.num_batches_per_epoch)
        simulator = Watched(simulator, self.model.pipeline, depth=8)
        total = settings.epochs * settings.num_batches_per_epoch * self.rows_at_once
        pilot = simulator.sample(min(PILOT_ROWS, max(total, _PILOT_AT_LEAST)), seed=seed_for(self.seed, 4))
        self._build(pilot)
        rows = self.clean(pilot)
        self._moments(rows)
        mean = WeightMean("the first simulations").add(rows.get(WEIGHT)).value
        held_out = self._ready(rows, mean) if validation_data is None else self._held_out(validation_data)

        def make(n: int, call: int) -> Batch:
            made = self._cleaned(simulator.sample(n, seed=seed_for(self.seed, 4 + call)))
            require_same_names(rows, made)
            return self._ready(made, mean)

        return FreshSource(
            make,
            held_out,
            batch_size=self.rows_at_once,
            steps_per_epoch=settings.num_batches_per_epoch,
            chunk=PILOT_ROWS,
            device=self.device,
            repeats=True,
            background=settings.background,
        )

    def stream(self, batches: Iterable[Any], validation_data: Any, *, split: bool) -> Source:
        """A re-iterable of dict batches, re-cut to the batch size; a first pass counts and samples it."""
        if validation_data is None and (split or self.settings.patience is not None):
            raise ConfigError(
                "Streamed batches are not split: patience needs validation_data, which replace validation_fraction.\n"
                "Give fit(..., validation_data={...}), or all rows in one dict of arrays."
            )
        count, fresh = 0, not self.model.is_built
        watch, weights = RowWatch(), WeightMean("data")
        pilot: list[Batch] = []
        for batch in watch.over(batches):
            if not pilot:
                self._build(batch)
            cleaned = self._cleaned(batch)
            require_same_names(pilot[0] if pilot else cleaned, cleaned)
            weights.add(cleaned.get(WEIGHT))
            if count < PILOT_ROWS:
                pilot.append(cleaned)
            count += len(cleaned["inference_variables"])
        if not count:
            raise DataError("data have no batches")
        if fresh:
            watch.warn(depth=7)
        mean = weights.value
        self.clean.finish(depth=7)
        self.clean = self._cleaner("data")
        self._moments({role: padded([part[role] for part in pilot]) for role in pilot[0]})
        held_out = None if validation_data is None else self._held_out(validation_data)
        endless = (batch for _ in iter(int, 1) for batch in batches)
        batch_size = min(self.rows_at_once, count)
        return FreshSource(
            lambda n, call: self._ready(self._cleaned(next(endless)), mean),
            held_out,
            batch_size=batch_size,
            steps_per_epoch=count // batch_size,
            chunk=1,
            device=self.device,
            repeats=False,
            background=self.settings.background,
        )

    def store(self, store: Store, validation_data: Any) -> Source:
        """Pieces of a store, after one pass over all of them."""
        self._build(store.read(0))
        survey = Survey(
            store,
            self._cleaned,
            self.model.pipeline.roles.parts(),
            share=0.0 if validation_data is not None else self.settings.validation_fraction,
            memory=self.settings.memory_mb << 20,
            batch_size=self.rows_at_once,
            seed=seed_for(self.seed, 2),
            progress=self.progress,
        )
        self.clean.finish(depth=7)
        first = self.clean(store.read(0))
        self.clean = self._cleaner("data")
        self._standardize(survey.moments, depth=7)
        self._remember(first)
        mean = survey.weights.value
        held_out = None if validation_data is None else self._held_out(validation_data)
        if survey.validation is not None:
            held_out = self._weighed(survey.validation, "rows held out for validation")
        known = self._cleaner("data")  # what it drops has been told already
        return PieceSource(
            lambda piece: self._ready(survey.training_rows(piece, known), mean),
            survey.sizes,
            held_out,
            batch_size=self.rows_at_once,
            group_rows=survey.group_rows,
            identity=store.fingerprint(),
            device=self.device,
            seed=seed_for(self.seed, 3),
            background=self.settings.background,
        )

    def _build(self, data: Any) -> None:
        data = self.model.pipeline.numeric(data, "data", learn=not self.model.is_built)
        if isinstance(data, Mapping):
            refuse_weights(self.model.config, data, "data")
            self.model.pipeline.masked |= masked_names(data)
        if not self.model.is_built:
            events = row_events(data)
            self.model.look_at(data)
            self.model.build(events, seed=self.seed)
            warn_of_channels(self.model.config, self.model.summary_config, self.model.pipeline, depth=8)
            self.model.pipeline.require_inverse(data)
        if isinstance(data, Mapping):
            warn_of_roleless(data, self.model.pipeline, depth=8)

    def _cleaner(self, what: str) -> Cleaner:
        return Cleaner(self.model.pipeline, self.settings.max_invalid_share, what)

    def _cleaned(self, batch: Any) -> Batch:
        """Valid rows of one batch among many."""
        cleaned = self.clean(batch)
        require_one_length(self.model.pipeline, cleaned)
        refuse_weights(self.model.config, cleaned, "data")
        return cleaned

    def _held_out(self, validation_data: Any) -> Batch:
        """The user's own validation rows, counted apart from the data."""
        clean = self._cleaner("validation_data")
        rows = clean(validation_data)
        clean.finish(depth=8)
        return self._weighed(rows, "validation_data")

    def _weighed(self, rows: Batch, what: str) -> Batch:
        """All rows of a data set, ready, with weights of mean 1."""
        return self._ready(rows, WeightMean(what).add(rows.get(WEIGHT)).value)

    def _moments(self, rows: Batch) -> None:
        """Set the standardisation from all rows."""
        self._standardize(
            {part: Moments().add(rows[part], rows.get(mask_of(part))) for part in self.model.pipeline.roles.parts()},
            depth=8,
        )
        self._remember(rows)

    def _remember(self, rows: Batch) -> None:
        """Hand over standardised targets of the training."""
        self.model.remember(self.model.standardized({ROLES[0]: rows[ROLES[0]]})[ROLES[0]])

    def _standardize(self, moments: Mapping[str, Moments], *, depth: int) -> None:
        """Set the standardisation, once in the life of a model, `depth` calls below the user's."""
        for role, found in moments.items():
            standardizer = self.model.standardizer(role)
            names = self.model.pipeline.feature_names(role)
            require_size(found, names, scaled=role_of(role) in self.model.standardize)
            if role == ROLES[0]:
                warn_of_offsets(found, names)
            if standardizer.is_fitted:
                warn_of_drift(standardizer, found, names, depth=depth + 1)
            elif role_of(role) in self.model.standardize:
                standardizer.fit_moments(found, names)
            standardizer.widen(found)

    def _ready(self, rows: Batch, mean_weight: float) -> Batch:
        weights = {WEIGHT: (rows[WEIGHT].double() / mean_weight).to(self.model.dtype)} if WEIGHT in rows else {}
        return by_slices(rows, self.model.standardized) | weights
