"""What all approximators share: names and shapes of the data, standardisation, and the networks."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn

from .. import _extensions
from .._arguments import arguments_of, unknown_argument
from .._messages import did_you_mean, listing, untrained
from ..adapter import Adapter
from ..errors import ArtifactError, ConfigError, DataError
from ..randomness import as_seed, seed_for
from ..registry import as_config, configure
from ..shapes import Shapes
from ..stores import open_store
from ..training import History
from ..training.sources import Source
from . import _fitting
from ._checks import checked_bounds, checked_fit_kwargs, require_capability, require_held
from ._conditions import checked_conditions
from ._far import warn_of_far
from ._masks import MISSING, mask_of
from ._pipeline import Pipeline
from ._reading import Reading
from ._roles import ROLES, Roles, role_of, roles_to_standardize
from ._standardizer import Standardizer

__all__ = ["Approximator"]

_OUT_OF_BOUNDS = ("transform", "reject", "warn")


class Approximator(nn.Module):
    """An inference network with adapter, standardisation and (optionally) a summary network.

    Args:
        inference_network: name, mapping, config, or `nn.Module` with the network protocol.
        summary_network: the same for a summary network; it reads `summary_variables`.
        adapter: transforms between the user's variables and the roles.
        inference_variables, inference_conditions, summary_variables: names; by default those of the roles.
        standardize: roles to standardise: `"all"`, None, a role or a list of roles.
        bounds: `{name: (low, high)}` of inferred variables; low or high may be None.
        out_of_bounds: `"transform"` trains in an unbounded space, which no draw can leave; `"reject"`
            draws again, within a budget; `"warn"` counts.
        missing: `"mask"` where NaN stands for what was not measured: the entry of a set or series that has it is left
            out, and a condition that is NaN is told to the network as unknown. By default NaN is an error.
        fit_kwargs: defaults of the options of `fit`.

    Raises:
        ConfigError: an argument that does not exist, or cannot work.
    """

    arguments: ClassVar[tuple[str, ...]] = (
        "summary_network",
        "adapter",
        "inference_variables",
        "inference_conditions",
        "summary_variables",
        "standardize",
        "bounds",
        "out_of_bounds",
        "missing",
        "fit_kwargs",
    )

    def __init__(
        self,
        inference_network: Any,
        *,
        summary_network: Any = None,
        adapter: Adapter | None = None,
        inference_variables: Any = None,
        inference_conditions: Any = None,
        summary_variables: Any = None,
        standardize: Any = "all",
        bounds: Mapping[str, Any] | None = None,
        out_of_bounds: str = "transform",
        missing: str | None = None,
        fit_kwargs: Mapping[str, Any] | None = None,
        **unknown: Any,
    ) -> None:
        super().__init__()
        for name in unknown:
            raise unknown_argument(type(self).__name__, name, arguments_of(type(self)))
        self.config = configure(inference_network, kind="inference_network")
        self.summary_config = None if summary_network is None else as_config(summary_network, kind="summary_network")
        if adapter is not None and not isinstance(adapter, Adapter):
            raise ConfigError(f"adapter takes an sbicore.Adapter, got {type(adapter).__name__}")
        if out_of_bounds not in _OUT_OF_BOUNDS:
            raise ConfigError(
                f"out_of_bounds={out_of_bounds!r} is unknown{did_you_mean(out_of_bounds, _OUT_OF_BOUNDS)}\n"
                f"Choices: {', '.join(_OUT_OF_BOUNDS)}"
            )
        if missing not in MISSING:
            raise ConfigError(f"missing={missing!r} is unknown\nChoices: 'mask', None")
        self.bounds = checked_bounds(bounds)
        self.out_of_bounds = out_of_bounds
        self.standardize = roles_to_standardize(standardize)
        reading = Reading(self.summary_config)
        self.pipeline = Pipeline(
            Adapter() if adapter is None else adapter.copy(),
            Roles(
                inference_variables=inference_variables,
                inference_conditions=inference_conditions,
                summary_variables=reading.variables(summary_variables),
                apart=reading.apart,
            ),
            self.bounds if out_of_bounds == "transform" else None,
            reading=reading,
            missing=missing,
        )
        self.fit_kwargs = checked_fit_kwargs(fit_kwargs)
        self.history = History()
        self.is_trained = False
        self.network: Any = None
        self.summary_network: Any = None
        self.standardizers = nn.ModuleDict()

    @property
    def is_built(self) -> bool:
        """Whether shapes are known and the network exists."""
        return self.network is not None

    def forget_data(self) -> None:
        """Back to before the first data: no schema, no network."""
        self.pipeline.unbind()
        self.network = self.summary_network = None
        self.standardizers = nn.ModuleDict()

    @staticmethod
    def network_from(saved: Mapping[str, Any]) -> Any:
        """The config of the inference network from its saved form."""
        return configure(saved, kind="inference_network")

    def remember(self, targets: Tensor) -> None:
        """Keep of the standardised training targets `(N, *event)` what the approximator needs: by default nothing."""

    def require_source(self, source: Source) -> None:
        """Refuse batches on which the network cannot be trained: by default none."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next((parameter.device for parameter in self.parameters()), torch.device("cpu"))

    @property
    def dtype(self) -> torch.dtype:
        """Of the weights."""
        floating = (p.dtype for p in self.network.parameters() if p.is_floating_point())
        return next(floating, torch.float32)

    def build(self, events: Mapping[str, tuple[int, ...]], *, seed: int | None = None) -> Approximator:
        """Fix names and shapes, and make the network; `fit` does this from its first data.

        Args:
            events: event shape by variable name, e.g. `{"theta": (3,), "x": (5,)}`.
            seed: covers initialisation; without it one is drawn from torch's default generator.

        Raises:
            DataError, ShapeError, ConfigError: shapes, roles and networks do not fit.
        """
        self.pipeline.bind(events)
        for name in self.bounds:
            if name not in self.pipeline.target_names:
                raise ConfigError(
                    f"bounds name {name!r}, which is not inferred{did_you_mean(name, self.pipeline.target_names)}\n"
                    f"Inferred: {', '.join(self.pipeline.target_names)}"
                )
        conditions = self.pipeline.event("inference_conditions")
        summaries = {part: self.pipeline.event(part) for part in self.pipeline.roles.parts("summary_variables")}
        if summaries and self.summary_config is None:
            raise ConfigError("summary_variables are given without a summary network.\nGive summary_network=...")
        if not summaries and self.summary_config is not None:
            raise ConfigError(
                "A summary network is given without anything to read.\n"
                "Give summary_variables=[...], or use that name in the data."
            )
        for part in summaries:
            for name in self.pipeline.roles.of(part):
                self.pipeline.reading.require_axes(part, name, self.pipeline.adapted.events_out[name])
            if self.pipeline.masking(part):
                self.pipeline.reading.require_masks(part)
        target = self.pipeline.event("inference_variables")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed_for(as_seed(seed), 0))
            width = 0
            if self.summary_config is not None:
                self.summary_network = _extensions.build(self.summary_config, _shapes(summaries))
                width = self.summary_network.out_features
            if conditions is not None and self.pipeline.missing == "mask":
                conditions = (*conditions[:-1], 2 * conditions[-1])
            joined = _joined(conditions, width)
            self.network = _extensions.build(self.config, Shapes(target=target, conditions=joined))
        for part in self.pipeline.roles.parts():
            self.standardizers[_key(part)] = Standardizer(self.pipeline.event(part) or ())
        return self

    def look_at(self, data: Mapping[str, Any]) -> None:
        """What is to be learnt from the values of the first data before `build`; by default nothing."""

    def fit(self, data: Any = None, *, simulator: Any = None, **options: Any) -> History:
        """Train on arrays, on a simulator, or on any iterable of dict batches.

        Args:
            data: dict of arrays `(N, *event)`, a data frame, an xarray data set, an object with
                `sample(n, seed=...)`, a store (`sbicore.open_store`), or an iterable of such dicts, each a batch of
                rows (a re-iterable one is streamed anew each epoch).
            simulator: the same as giving a simulator as `data`.
            validation_data: dict of arrays; without it a share of the rows, or simulated rows.
            seed: covers initialisation, order, times and noise, and simulation.
            device: where to train and leave the weights; by default where they are.
            callbacks: callables `(approximator, event)`; see `sbicore.training.FitEvent`.
            progress: False for silence.
            checkpoint: path of a file that holds the state after every epoch. Where it exists, the fit goes on from
                there, to the same weights as one that was not interrupted; delete it to start anew.
            **options: fields of `sbicore.training.FitOptions`: epochs, batch_size, learning_rate, ...

        Returns:
            The history, also kept as `.history`; a second fit goes on from the present weights.

        Raises:
            DataError, ShapeError: data that cannot be used, naming the variable.
            TrainingError: not one finite step.
        """
        if simulator is not None:
            if data is not None:
                raise ConfigError("fit takes data or a simulator, not both")
            data = simulator
        return _fitting.fit(self, data, **options)

    def fit_online(self, simulator: Any, **options: Any) -> History:
        """`fit` on a simulator: `epochs` of `num_batches_per_epoch` fresh batches."""
        return _fitting.fit(self, simulator, **options)

    def fit_offline(self, data: Any, **options: Any) -> History:
        """`fit` on a dict of arrays."""
        return _fitting.fit(self, data, **options)

    def fit_disk(self, path: Any, **options: Any) -> History:
        """`fit` on a store, see `sbicore.open_store`: rows are read in pieces, and shuffled within `memory_mb`.

        A first pass takes the moments of all rows, counts invalid ones, and holds out `validation_fraction` of every
        piece, at most an eighth of the memory. Each epoch reads the pieces in a new order.

        Raises:
            DataError, ShapeError: no store, or damaged, changed, incomplete or without rows.
        """
        return _fitting.fit(self, open_store(path), **options)

    def estimate(self, conditions: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Statistics of the posterior, of networks that estimate; see `ScoringRuleApproximator.estimate`.

        Raises:
            ConfigError: this one does not.
        """
        require_capability(self.config, "estimate", "does not estimate")

    def save(self, path: Any) -> None:
        """Write weights and description to one file, beside it first and then renamed.

        Raises:
            NotBuiltError: not trained yet.
        """
        from ..artifact import save

        save(self, path)

    def standardizer(self, part: str) -> Standardizer:
        """The standardisation of a role that is in use, or of a variable that is kept apart: `summary_variables:x`."""
        return cast(Standardizer, self.standardizers[_key(part)])

    def restore(self, tensors: Mapping[str, Tensor], history: Mapping[str, Any], standardized: list[str]) -> None:
        """Take over saved weights, history and which roles have moments.

        Raises:
            ArtifactError: names or shapes of the weights differ.
        """
        try:
            self.load_state_dict(dict(tensors))
        except RuntimeError as error:
            raise ArtifactError(f"weights do not fit the described network: {error}") from error
        self.history = History(**history)
        self.is_trained = True
        for part in standardized:
            self.standardizer(part).is_fitted = True
        self.eval()

    def embed(self, roles: Mapping[str, Tensor]) -> Tensor | None:
        """The conditions of the network from standardised roles: direct ones, then summaries, alike for each pixel."""
        parts = [roles["inference_conditions"]] if "inference_conditions" in roles else []
        if self.summary_network is not None:
            parts.append(self._summary(roles))
        if len(parts) == 2:
            direct, summary = parts
            pixels = direct.shape[1:-1]
            summary = summary.view(len(summary), *[1] * len(pixels), -1).expand(-1, *pixels, -1)
            return torch.cat([direct, summary], dim=-1)
        return parts[0] if parts else None

    def _summary(self, roles: Mapping[str, Tensor]) -> Tensor:
        """Of the one tensor of the role, or of its variables by name; with masks where there are any."""
        names = self.pipeline.roles.parts("summary_variables")
        masks = {part: roles[mask_of(part)] for part in names if mask_of(part) in roles}
        if not self.pipeline.reading.apart:
            return cast(Tensor, self.summary_network(roles[names[0]], *masks.values()))
        by_name = [
            {_name(part): value for part, value in found.items()} for found in ({p: roles[p] for p in names}, masks)
        ]
        return cast(Tensor, self.summary_network(*by_name[: 1 + bool(masks)]))

    def standardized(self, roles: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Role tensors as the network takes them: standardised, float32, zero where masked.

        Conditions that may be missing are followed by which of them are there; the mask of sets and series goes along.
        """
        result = {}
        for part in self.pipeline.roles.parts():
            if part not in roles:
                continue
            value, mask = roles[part], roles.get(mask_of(part))
            ready = (self.standardizer(part)(value) if role_of(part) in self.standardize else value).to(self.dtype)
            if mask is not None and part == "inference_conditions":
                ready = torch.cat([ready.masked_fill(~mask, 0.0), mask.to(self.dtype)], dim=-1)
            elif mask is not None:
                ready = ready.masked_fill(~mask.unsqueeze(-1), 0.0)
                result[mask_of(part)] = mask
            result[part] = ready
        return result

    def observe(self, conditions: Mapping[str, Any] | None, what: str = "conditions") -> Tensor | None:
        """Checked, embedded conditions `(O, C)`; None for a network without any."""
        if not self.pipeline.roles.parts(*ROLES[1:]):
            if conditions is not None and not (isinstance(conditions, Sized) and not len(conditions)):
                found = listing(map(repr, conditions)) if isinstance(conditions, Sized) else repr(conditions)
                raise DataError(
                    f"This approximator was trained without conditions, and is given {found}\n"
                    "Build it with inference_conditions=[...] and train it again, or ask without any, "
                    "such as sample(num_samples=...)."
                )
            return None
        joined = checked_conditions(self.pipeline, conditions, what, depth=3)
        ready = self.standardized(joined)
        require_held(ready, what)
        ranges = {part: self.standardizer(part) for part in self.pipeline.roles.parts(*ROLES[1:])}
        warn_of_far(self.pipeline, ranges, joined, what, depth=3)
        with torch.no_grad():
            return self.embed({role: t.to(self.device) for role, t in ready.items()})

    def to_user_space(self, z: Tensor, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
        """The user's variables from draws of the network `(*, *event)`."""
        z = z.double()
        if "inference_variables" in self.standardize:
            z = self.standardizer("inference_variables").inverse(z)
        values = {name: value.to(dtype) for name, value in self.pipeline.inverse(z).items()}
        return self.pipeline.adapted.inside(values)

    def _require_built(self, what: str) -> None:
        if not self.is_trained:
            raise untrained(what)


def _key(part: str) -> str:
    """Modules cannot have names with dots."""
    return part.replace("%", "%25").replace(".", "%2E")


def _name(part: str) -> str:
    """The variable that a part is."""
    return part.partition(":")[2]


def _shapes(summaries: Mapping[str, tuple[int, ...] | None]) -> Shapes:
    """What a summary network is built for: the one event shape, or those of variables by name."""
    by_name = {_name(part): event or () for part, event in summaries.items()}
    return Shapes(target=by_name[""]) if "" in by_name else Shapes(inputs=by_name)


def _joined(conditions: tuple[int, ...] | None, summary: int) -> tuple[int, ...] | None:
    if conditions is None:
        return (summary,) if summary else None
    return (*conditions[:-1], conditions[-1] + summary)
