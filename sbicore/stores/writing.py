"""Simulations or batches, written part by part."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from .._messages import listing
from .._seeding import child
from ..errors import ConfigError, DataError, ShapeError
from ..randomness import as_seed
from ..simulation import make_simulator
from .npz import DESCRIPTION, described, header
from .origin import Described, described_rows, other_data, require_same_part, require_same_rows
from .store import Store, open_store

__all__ = ["write_store"]

_PART_BYTES = 4 << 20
_BLOCK = 1_000
_COMPARED, _SHARE = 8, 100
"""Rows by which a simulator is known again, at most, and of how many rows they are one."""

Rows = dict[str, np.ndarray]


def write_store(
    path: Any,
    source: Any,
    *,
    n: int | None = None,
    seed: int | None = None,
    part_rows: int | None = None,
    job: int = 0,
    jobs: int = 1,
    progress: bool = True,
) -> Store | None:
    """Write a data set that need not fit into memory, for `fit_disk`.

    The folder gets `.npz` files of `part_rows` rows each, every one whole or not there. Called again with the same
    arguments, it goes on where it was interrupted. Arrays are compared with those that are there; a simulator is known
    again by at most 8 rows that it makes of the seed, one in 100.

    Args:
        path: folder, made if it does not exist.
        source: what `make_simulator` takes, or an object with `sample(n, seed=...)`; a dict of arrays or a data frame
            without categories; or an iterable of such, batches, which starts anew when called again.
        n: how many rows to simulate.
        seed: part i of a simulator depends on (seed, i) alone; by default that of the parts that are there.
        part_rows: rows of a file; by default as in the files that are there, or about 4 MiB.
        job, jobs: where `jobs` processes simulate into one folder at once, the number of this one, from 0.
        progress: whether to show progress, where the number of rows is known.

    Returns:
        The store; None where other jobs have not finished theirs.

    Raises:
        ConfigError: arguments that do not go together, or a folder that was written with others, another simulator or
            other data.
        DataError, ShapeError: rows that cannot be stored, or that differ from those that are there.
    """
    from ..approximators._tables import as_columns
    from ..training.progress import Progress

    source = as_columns(source)
    folder = Path(path)
    for name, value in (("n", n), ("part_rows", part_rows)):
        if value is not None and (isinstance(value, bool) or not hasattr(value, "__index__") or value < 1):
            raise ConfigError(f"{name} must be a whole number >= 1, got {value!r}")
    if folder.is_file():
        raise ConfigError(f"{folder} is a file; a store is a folder\nGive the path of a new one.")
    if jobs < 1 or not 0 <= job < jobs:
        raise ConfigError(f"job must be from 0 to jobs - 1, got job={job!r} and jobs={jobs!r}")
    folder.mkdir(parents=True, exist_ok=True)
    before = described(folder)
    if not before and any(folder.iterdir()):
        raise ConfigError(f"{folder} has files that write_store did not write\nGive another folder.")
    seed = before.get("seed") if seed is None else seed
    part_rows = before.get("part_rows") if part_rows is None else part_rows
    made = _Simulated(source, n, seed, part_rows) if _simulates(source) else _Given(source, n, part_rows, jobs)
    about: dict[str, Any] = {"format": 1, "rows": made.rows, "part_rows": made.part_rows, "seed": made.seed}
    if made.rows is None:
        about["rows"] = before.get("rows")
    _require_same(folder, before, about)
    if isinstance(made, _Simulated):
        about["first"] = made.known_again(folder, before.get("first"))
    _replace(folder / DESCRIPTION, lambda file: file.write_text(json.dumps(about)))
    first: Path | None = next(iter(sorted(folder.glob("*.npz"))), None)
    rows = 0
    with Progress(made.rows or 0, "writing", enabled=progress and made.rows is not None, unit="row") as bar:
        for index, size, make in made.parts():
            file = folder / f"{index:06d}.npz"
            rows += size
            if about["rows"] is not None and rows > about["rows"]:
                raise other_data(folder, f"it has {about['rows']} rows, now there are more")
            if index % jobs == job and not file.exists():
                part = _arrays(make())
                _replace(file, partial(_save, part=part))
                first = first or file
                header(first)[0].require_same(header(file)[0], file, first)
            elif isinstance(made, _Given):
                require_same_part(folder, file, _arrays(make()))
            bar.update(size)
    if about["rows"] is None:
        _replace(folder / DESCRIPTION, lambda file: file.write_text(json.dumps({**about, "rows": rows})))
    elif rows != about["rows"]:
        raise other_data(folder, f"it has {about['rows']} rows, now there are {rows}")
    count = sum(header(file)[1] for file in folder.glob("*.npz"))
    return open_store(folder) if jobs == 1 or count == rows else None


class _Simulated:
    """Parts of a simulator: each a call with its own seed."""

    def __init__(self, source: Any, n: int | None, seed: int | None, part_rows: int | None) -> None:
        if n is None:
            raise ConfigError("How many rows?\nGive write_store(path, simulator, n=100_000)")
        self.simulator = source if hasattr(source, "sample") else make_simulator(source)
        self.rows: int | None = n
        self.seed: int | None = as_seed(seed)
        self.few = max(1, min(_COMPARED, n // _SHARE))
        self.first = self._first()
        self.part_rows = min(part_rows or _rows_for(self.first), n)

    def known_again(self, folder: Path, before: Described | None) -> Described:
        """What the first rows of the one are that wrote the folder, which is this one.

        Raises:
            ConfigError: it is another.
        """
        now = described_rows(folder, self.first)
        if before is not None:
            require_same_rows(folder, before, now, lambda: described_rows(folder, self._first()))
        return before or now

    def _first(self) -> Rows:
        return _arrays(self.simulator.sample(self.few, seed=self.seed))

    def parts(self) -> Iterator[tuple[int, int, Callable[[], Mapping[str, Any]]]]:
        """Number, size and maker of each."""
        for index, start in enumerate(range(0, self.rows or 0, self.part_rows)):
            size = min(self.part_rows, (self.rows or 0) - start)
            seed = int(child(self.seed or 0, index).generate_state(1, np.uint64)[0]) >> 1
            yield index, size, lambda size=size, seed=seed: self.simulator.sample(size, seed=seed)  # type: ignore[misc]


class _Given:
    """Parts of rows that are there: a dict of arrays, or batches."""

    seed = None

    def __init__(self, source: Any, n: int | None, part_rows: int | None, jobs: int) -> None:
        if n is not None or jobs != 1:
            raise ConfigError(f"{'jobs' if n is None else 'n'} has a meaning for simulators only")
        one = isinstance(source, Mapping)
        if not one and (not isinstance(source, Iterable) or isinstance(source, (str, bytes))):
            raise DataError(
                f"write_store cannot store {type(source).__name__}\n"
                "Give a simulator and n=..., a dict of arrays, or an iterable of dict batches."
            )
        self.batches = iter([source] if one else source)
        self.first = _arrays(next(self.batches, None))
        self.rows = len(next(iter(self.first.values()))) if one else None
        self.part_rows = part_rows or _rows_for(self.first)

    def parts(self) -> Iterator[tuple[int, int, Callable[[], Mapping[str, Any]]]]:
        """Number, size and maker of each; batches are cut anew."""
        waiting: list[Rows] = []
        count = index = 0
        for batch in itertools.chain([self.first], map(_arrays, self.batches), [None]):
            if batch is not None:
                waiting.append(batch)
                count += len(next(iter(batch.values())))
            while count >= self.part_rows or (batch is None and count):
                joined = _joined(waiting)
                size = min(count, self.part_rows)
                part = {name: value[:size] for name, value in joined.items()}
                yield index, size, lambda part=part: part  # type: ignore[misc]
                waiting, count = [{name: value[size:] for name, value in joined.items()}], count - size
                index += 1


def _simulates(source: Any) -> bool:
    return (
        callable(source)
        or (hasattr(source, "sample") and not hasattr(source, "columns"))
        or (isinstance(source, (list, tuple)) and bool(source) and all(_simulates(item) for item in source))
    )


def _rows_for(some: Rows) -> int:
    """How many rows a part has, from some rows: whole blocks, if it can be."""
    rows = max(1, _PART_BYTES // max(1, sum(value[:1].nbytes for value in some.values())))
    return min(rows // _BLOCK * _BLOCK or rows, 100 * _BLOCK)


def _arrays(batch: Any) -> Rows:
    """Rows of a batch.

    Raises:
        DataError: none, no dict, or an array that cannot be stored.
        ShapeError: variables with different numbers of rows.
    """
    from ..approximators._tables import as_columns, learned_categories

    batch = as_columns(batch)
    if batch is None or (isinstance(batch, Mapping) and not batch):
        raise DataError("There are no rows to write")
    if not isinstance(batch, Mapping):
        raise DataError(f"Batches are dicts of arrays by name, got {type(batch).__name__}")
    for name in learned_categories(batch):
        raise DataError(
            f"{name!r} is categorical, and a store has numbers alone\n"
            "Give its categories as columns of 0 and 1, for instance by pandas.get_dummies.",
            variable=name,
        )
    arrays = {str(name): _array(str(name), value) for name, value in batch.items()}
    if len({array.shape[:1] for array in arrays.values()}) > 1:
        found = ", ".join(f"{name} {len(array) if array.ndim else 'none'}" for name, array in arrays.items())
        raise ShapeError(f"variables have different numbers of rows: {found}")
    return arrays


def _array(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
    except ValueError:
        array = np.empty(0, object)
    if array.dtype == object:
        raise DataError(
            f"{name!r} has rows of different lengths, or no numbers, and cannot be stored\n"
            "Pad them, and tell in 'summary_mask' (N, L) which entries are there.",
            variable=name,
        )
    return array


def _joined(batches: list[Rows]) -> Rows:
    if len(batches) == 1:
        return batches[0]
    for batch in batches:
        if batch.keys() != batches[0].keys():
            raise DataError(f"batches have different variables: {listing(batches[0])} and {listing(batch)}")
    return {name: np.concatenate([batch[name] for batch in batches]) for name in batches[0]}


def _require_same(folder: Path, before: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    if not before:
        return
    if (before.get("seed") is None) != (about["seed"] is None):
        raise other_data(folder, f"it has rows of {'arrays' if before.get('seed') is None else 'a simulator'}")
    differs = [f"{name}={before.get(name)}" for name in about if before.get(name) != about[name]]
    if differs:
        raise ConfigError(
            f"{folder} was written with {', '.join(differs)}\nGive the same arguments to go on, or another folder."
        )


def _save(file: Path, part: Rows) -> None:
    with file.open("wb") as stream:
        np.savez(stream, **{name: np.ascontiguousarray(value) for name, value in part.items()})  # type: ignore[arg-type]


def _replace(file: Path, write: Callable[[Path], Any]) -> None:
    """Write a file, whole or not at all."""
    beside = file.with_name(f".{file.name}.{os.getpid()}.part")
    try:
        write(beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
