"""From the user's dict of arrays to role tensors and back: checks, adapter, bounds, roles."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .._messages import did_you_mean, listing
from ..adapter import Adapter, BoundAdapter
from ..adapter.apply import Apply
from ..adapter.bound import no_density
from ..adapter.elementwise import floating
from ..adapter.selection import Drop
from ..errors import ConfigError, DataError, SbicoreError, ShapeError
from ._ragged import MASK, is_listed, is_mask, mask_name, not_numeric, packed, spread
from ._reading import Reading
from ._roles import ROLES, Events, Roles
from ._tables import (
    as_columns,
    counts_rows,
    labels_at,
    learned_categories,
    learned_dims,
    one_hot,
    require_order,
    require_row_axis,
)

__all__ = ["Pipeline", "tensors_of"]

WEIGHT = "sample_weight"
_FIRST = 256
"""Rows that are sent there and back through functions of the user's."""


def tensors_of(
    data: Any, what: str, names: Iterable[str] | None = None, *, varying: Events | None = None
) -> dict[str, Tensor]:
    """Arrays, lists and tensors as CPU tensors; integers become float64, floats keep their width.

    Masked entries of an array become NaN; so does what follows the end of a row that is shorter than others, and
    `summary_mask:name` then tells what is there.

    With `names`, those and masks alone; other values are not looked at. With `varying`, rows of those alone may differ
    in length; where no row has an entry, each gets one that is masked.

    Raises:
        DataError: not a mapping, empty, or a value that is not numeric.
        ShapeError: rows that differ in more than their length.
    """
    if not isinstance(data, Mapping):
        raise DataError(f"{what} must be a dict of arrays by name, got {type(data).__name__}")
    if not data:
        raise DataError(f"{what} is empty")
    data = spread(data)
    wanted = data if names is None else [name for name in data if name in names or is_mask(name)]
    masks: dict[str, Tensor] = {}
    found = {name: _tensor(name, data[name], masks) for name in wanted}
    for name, event in (varying or {}).items():
        if name in found and (rows := _without_entries(found[name].shape, event)):
            found[name] = torch.full((rows, 1, *event[1:]), torch.nan)
            masks[name] = torch.zeros(rows, 1, dtype=torch.bool)
    for name in masks:
        if varying is not None and name not in varying:
            raise ShapeError(
                f"{what}: {name!r} has rows of different lengths, and no summary network reads it\n"
                "Give summary_network='deep_set', or 'time_series_network', and summary_variables=[...].",
                variable=name,
            )
        if mask_name(name) in found:
            raise DataError(
                f"{what} have {mask_name(name)!r}, and rows of different lengths in {name!r}\n"
                "Give rows as they are, or padded rows with a mask."
            )
    return found | {mask_name(name): mask for name, mask in masks.items()}


def _tensor(name: str, value: Any, masks: dict[str, Tensor]) -> Tensor:
    if isinstance(value, Tensor):
        tensor = value.detach().cpu()
    else:
        if isinstance(value, np.ma.MaskedArray):
            value = np.ma.filled(value.astype(np.float64), np.nan)
        try:
            array = np.asarray(value)
        except ValueError as error:
            if not is_listed(value):
                raise DataError(f"{name!r} has rows of different shapes: {error}", variable=name) from None
            array, masks[name] = packed(name, value)
        if array.dtype == object and is_listed(array):
            array, masks[name] = packed(name, list(array))
        if array.dtype.kind not in "biuf":
            raise not_numeric(name, array.dtype)
        wide = array.dtype.kind != "f" or array.dtype.itemsize > 8
        width = np.float64 if wide else np.dtype(f"f{max(4, array.dtype.itemsize)}")
        tensor = torch.from_numpy(np.require(array, width, ["C", "W"]))
    if tensor.is_complex():
        raise DataError(f"{name!r} is complex; give real and imaginary part", variable=name)
    if not tensor.is_floating_point():
        return tensor.double()
    return tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()


def _without_entries(shape: tuple[int, ...], event: tuple[int, ...]) -> int:
    """How many rows of sets or series this is, none of which has an entry; 0 where it is not."""
    if shape == (0, *event[1:]):
        return 1
    return shape[0] if shape and shape[1:] in ((0,), (0, *event[1:])) else 0


class Pipeline:
    """Everything between the user's names and shapes and the roles of the network.

    Its schema (names, event shapes, roles) is fixed by the first data and saved with the model.

    Args:
        adapter: the user's.
        roles: as far as the user named them.
        bounds: of inferred variables, `{name: (low, high)}`.
        reading: what the summary network takes.
        missing: `"mask"` where NaN stands for what was not measured.

    `events` are shapes of the variables that must be given, `schema` those and what the adapter only drops;
    `masked` holds the names of variables with masks or rows of different lengths; `lost` those of features of the
    conditions that were missing in some row of the training, None where nothing is known of it; `categories` are the
    labels of categorical variables, in the order of their one-hot vectors; `dims` the names of the axes of an event.
    """

    def __init__(
        self,
        adapter: Adapter,
        roles: Roles,
        bounds: Mapping[str, Any] | None = None,
        *,
        reading: Reading,
        missing: str | None = None,
    ) -> None:
        self.adapter = adapter
        self.roles = self._declared = roles
        self.bounds = dict(bounds or {})
        self.reading = reading
        self.missing = missing
        self.masked: set[str] = set()
        self.schema: dict[str, tuple[int, ...]] = {}
        self.events: dict[str, tuple[int, ...]] = {}
        self.target_names: tuple[str, ...] = ()
        self.categories: dict[str, list[Any]] = {}
        self.dims: dict[str, list[str]] = {}
        self.lost: set[str] | None = set()

    def unbind(self) -> None:
        """Forget the schema."""
        self.roles, self.events, self.target_names = self._declared, {}, ()
        self.categories, self.dims, self.lost = {}, {}, set()

    def numeric(self, data: Any, what: str, *, learn: bool = False, lead: int = 1) -> Any:
        """Data frames as dicts of arrays, and categories one-hot; with `learn`, those of these data from now on.

        Arrays have at most `lead` axes before those of an event.
        """
        counted = counts_rows(data)
        data = as_columns(data, self.categories)
        if not isinstance(data, Mapping):
            return data
        if learn:
            self.categories, self.dims = learned_categories(data), learned_dims(data)
        require_order(data, self.dims, what)
        if counted:
            vectors = {name: event for name, event in self.events.items() if name not in self.categories}
            require_row_axis(data, vectors, self.dims, what)
        return one_hot(data, self.categories, what, lead=lead, soft=self.target_names)

    def bind(self, events: Events) -> None:
        """Fix the schema from event shapes by raw name.

        Raises:
            DataError, ShapeError: roles, adapter or bounds do not fit the variables.
        """
        raw = {name: tuple(event) for name, event in events.items() if name != WEIGHT and not is_mask(name)}
        chain = self.adapter.copy()
        for name, (lower, upper) in self.bounds.items():
            if name not in raw:
                found = f"{did_you_mean(name, raw)}\nVariables: {listing(raw)}"
                raise ConfigError(f"bounds name {name!r}, which is not in the data{found}")
            chain = Adapter.from_list(
                [{"name": "constrain", "keys": [name], "lower": lower, "upper": upper}, *chain.to_list()]
            )
        bound = chain.bind(raw, ahead=len(self.bounds))
        self._require_unbounded(bound)
        self._require_kept(bound)
        roles = self.roles.settled(bound.events_out)
        self.roles = roles
        self.schema = {name: raw[name] for name in self._needed(raw, chain, roles)}
        chain = Adapter(step.if_there() if isinstance(step, Drop) else step for step in chain)
        self.events = {name: raw[name] for name in self._needed(raw, chain, roles)}
        for name, event in self.events.items():
            if 0 in event:
                raise ShapeError(
                    f"{name!r} has no entries: each of its rows has shape {event}\nGive it some, or leave it out.",
                    variable=name,
                    got=event,
                )
        self.adapted = chain.bind(self.events, ahead=len(self.bounds))
        self._chain = chain
        self.feeds = self._feeds(chain, roles)
        free = {part for part in roles.parts(ROLES[2]) if self.reading.takes_any_length(part)}
        self.summarized = {name: e for name, e in self.events.items() if free & set(self.feeds.get(name, ()))}
        target = self.event("inference_variables")
        self.target_names = tuple(self.inverse(torch.zeros(1, *(target or ()))))

    def masking(self, part: str) -> bool:
        """Whether this part goes with a mask even where it is complete."""
        if self.missing == "mask":
            return self.reading.masks(part) or not self.reading.apart
        one = MASK in self.masked and not self.reading.apart
        return one or any(part in self.feeds.get(name, ()) for name in self.masked)

    def event(self, part: str) -> tuple[int, ...] | None:
        """Joined event shape of a role, or of a part of one."""
        return self.roles.event(part, self.adapted.events_out)

    def feature_names(self, part: str) -> list[str]:
        """A name for each entry of a part's last axis."""
        names = []
        for name in self.roles.of(part):
            event = self.adapted.events_out[name]
            names += [name] if event in ((), (1,)) else [f"{name}[{i}]" for i in range(event[-1])]
        return names

    def forward(self, data: Mapping[str, Tensor], roles: tuple[str, ...]) -> dict[str, Tensor]:
        """Joined role tensors `(*, *event)` from all raw variables that these roles need."""
        return self.joined(self._adapted_to(data).forward(dict(data)), roles)

    def _adapted_to(self, data: Mapping[str, Tensor]) -> BoundAdapter:
        """The bound adapter; where sets have another number of entries, bound anew."""
        events = {name: tuple(data[name].shape[-len(self.events[name]) :]) for name in self.summarized if name in data}
        if all(self.events[name] == event for name, event in events.items()):
            return self.adapted
        return self._chain.bind({**self.events, **events}, ahead=len(self.bounds))

    def outside(self, data: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
        """Why values that are finite have no place among role tensors, and the rows `(N,)`."""
        for place, name, rows in self._adapted_to(data).spoiled(data):
            yield f"{name!r} outside the {place if place == 'bounds' else f'domain of {place}'}", rows

    def joined(self, adapted: Mapping[str, Tensor], roles: tuple[str, ...]) -> dict[str, Tensor]:
        """Role tensors from adapted variables, one for each part."""
        return {part: self._join(part, adapted) for part in self.roles.parts(*roles)}

    def log_det(self, data: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], Tensor | float]:
        """Adapted variables, and the log-determinant of the targets' change of variables.

        Raises:
            DataError: categories, which have no density.
        """
        for name in self.categories.keys() & data.keys():
            raise no_density(name)
        adapted, parts = self.adapted.log_det(dict(data))
        total: Tensor | float = sum((parts[name] for name in self.roles.targets if name in parts), start=0.0)
        return adapted, total

    def inverse(self, targets: Tensor) -> dict[str, Tensor]:
        """The user's variables from joined targets `(*, *event)`."""
        events = self.adapted.events_out
        names = self.roles.targets
        parts = targets.split([(events[name] or (1,))[-1] for name in names], dim=-1)
        split = {
            name: part.squeeze(-1) if events[name] == () else part for name, part in zip(names, parts, strict=True)
        }
        return self.adapted.inverse(split)

    def require_inverse(self, data: Any) -> None:
        """Raise DataError where the adapter's functions do not bring the first of the inferred rows back."""
        if any(isinstance(step, Apply) for step in self._chain):
            found = tensors_of(data, "data", self.target_names)
            self.adapted.require_inverse({name: found[name][:_FIRST] for name in self.target_names})

    def told(self, draws: Mapping[str, Tensor], as_tensor: bool = False) -> dict[str, Any]:
        """Draws `(*, *event)` as the user gets them; of a category `(*,)`, its label, or as tensor its number.

        The number is that of the largest entry of `(*, K)`, and stays where it is there already.
        """
        result: dict[str, Any] = {}
        for name, value in draws.items():
            known = self.categories.get(name)
            if known is not None and value.is_floating_point():
                value = value.argmax(-1)
            result[name] = value if as_tensor else value.numpy() if known is None else labels_at(value, known)
        return result

    def checked(self, data: Mapping[str, Tensor], what: str, *, lead: int) -> dict[str, Tensor]:
        """Known variables with exactly `lead` leading axes and their event shapes.

        With `lead=1` a variable given with its event alone is one row, unless rows are shared.

        Raises:
            ShapeError: names the variable and both shapes.
        """
        found = {}
        for name, event in self.events.items():
            if name not in data:
                continue
            value = data[name]
            rank = value.ndim - len(event)
            if rank == lead - 1:
                value, rank = value.unsqueeze(0), lead
            first = int(name in self.summarized)
            if rank != lead or tuple(value.shape[lead + first :]) != event[first:] or 0 in value.shape[lead:]:
                told = ("any", *event[1:]) if first else event
                axes = ", ".join(["N", *map(str, told)]) + ("," if not event else "")
                raise ShapeError(
                    f"{what}: {name!r} has shape {tuple(data[name].shape)}, expected ({axes})"
                    f"{' or (' + ', '.join(map(str, told)) + (',)' if len(event) == 1 else ')') if event else ''}"
                    + (f"\nDraws of one observation have one axis too many: give {name}[0]." if rank > lead else ""),
                    variable=name,
                    expected=event,
                    got=tuple(data[name].shape),
                )
            found[name] = value
        return found

    def _join(self, part: str, adapted: Mapping[str, Tensor]) -> Tensor:
        values, events = [], self.adapted.events_out
        shapes = {name: tuple(adapted[name].shape) for name in self.roles.of(part)}
        self.roles.event(part, {name: shape[len(shape) - len(events[name]) :] for name, shape in shapes.items()})
        for name in self.roles.of(part):
            value = floating(adapted[name])
            if value is not adapted[name] and part == ROLES[0]:
                made = str(adapted[name].dtype).removeprefix("torch.")
                raise DataError(
                    f"the adapter makes {name!r} {made}, and it is inferred: networks draw floating numbers alone\n"
                    f"Leave that step out, or infer a category: adapter.one_hot({name!r}, num_classes=...).",
                    variable=name,
                )
            values.append(value.unsqueeze(-1) if events[name] == () else value)
        return torch.cat([value.double() for value in values], dim=-1) if len(values) > 1 else values[0]

    def _feeds(self, chain: Adapter, roles: Roles) -> dict[str, list[str]]:
        """The parts of `summary_variables` that each variable enters: the user's, then the adapted ones."""
        found: dict[str, list[str]] = {}
        parts = roles.parts(ROLES[2])
        for part in parts:
            known = [self.adapted.made_of(name) for name in roles.of(part)]
            traced = frozenset[str]().union(*(names for names in known if names is not None))
            for name in self._needed(self.events, chain, roles, (part,)) if None in known else sorted(traced):
                found.setdefault(name, []).append(part)
        for part in parts:
            for name in roles.of(part):
                found.setdefault(name, [part])
        return found

    def _require_unbounded(self, bound: BoundAdapter) -> None:
        """Raise ConfigError where a step cannot take what bounds make of a variable: any number."""
        for name, (low, high) in self.bounds.items():
            event = bound.events_in[name]
            numbers = torch.tensor([-3.0, 0.0, 3.0], dtype=torch.float64).view(-1, *[1] * len(event)).expand(-1, *event)
            inside = Adapter().constrain(name, low, high).bind({name: event}).inverse({name: numbers})
            with contextlib.suppress(DataError):  # of a step that joins it with others
                for place, variable, _ in bound.spoiled(inside):
                    raise ConfigError(
                        f"bounds come before the adapter's steps and make any number of {name!r}, which {place} cannot "
                        f"take{'' if variable == name else f' as {variable!r}'}\n"
                        "Give one of them: the bounds, or that step."
                    )

    def _require_kept(self, bound: BoundAdapter) -> None:
        """Raise DataError where a step leaves nothing for a role."""
        for role in ROLES:
            for name in self.roles.targets if role == ROLES[0] else self.roles.of(role):
                if name not in bound.events_out and name in bound.removed:
                    raise DataError(
                        f"{bound.removed[name]} leaves no {name!r}, which {role} needs\n"
                        f"Roles name variables as they are after the adapter: {listing(bound.events_out)}",
                        variable=name,
                    )

    def _needed(self, raw: Events, chain: Adapter, roles: Roles, of: tuple[str, ...] = ROLES) -> list[str]:
        """The raw variables without which adapter or roles would lack something."""

        def works_without(name: str) -> bool:
            try:
                left = chain.bind({other: event for other, event in raw.items() if other != name}).events_out
            except SbicoreError:
                return False
            return all(variable in left for role in of for variable in roles.of(role))

        return [name for name in raw if not works_without(name)]
