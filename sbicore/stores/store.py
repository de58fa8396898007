"""What every store offers, whatever its format, and how a path becomes one."""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from .._messages import listing
from ..errors import DataError, ShapeError

__all__ = ["Columns", "Piece", "Store", "cut", "damaged", "open_store", "require_numbers"]

PIECE_BYTES = 1 << 20
"""Where a format does not say how rows are grouped, about this much is read at once."""


class Piece(NamedTuple):
    """Rows that are read together: of which file, and from where to where."""

    file: Path
    start: int
    stop: int


class Columns(NamedTuple):
    """What one file of a store has: event shape and dtype by variable."""

    events: dict[str, tuple[int, ...]]
    dtypes: dict[str, np.dtype]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return sum(self.dtypes[name].itemsize * int(np.prod(event)) for name, event in self.events.items())

    def require_same(self, other: Columns, where: Path, first: Path) -> None:
        """One schema for all files of a store.

        Raises:
            ShapeError, DataError: what differs.
        """
        for name in self.events.keys() ^ other.events.keys():
            raise DataError(
                f"{where} has the variables {listing(sorted(other.events))}, but {first} has "
                f"{listing(sorted(self.events))}\nGive files of one data set.",
                variable=name,
            )
        for name, event in self.events.items():
            found = other.events[name]
            if found != event or other.dtypes[name] != self.dtypes[name]:
                raise ShapeError(
                    f"{where}: {name!r} has rows {found} of {other.dtypes[name]}, "
                    f"but {first} has {event} of {self.dtypes[name]}\nGive files of one data set.",
                    variable=name,
                    expected=event,
                    got=found,
                )


class Format(Protocol):
    """How rows of one kind of file are found and read."""

    def scan(self) -> tuple[Columns, list[Piece]]:
        """The schema, and all pieces in order, from headers alone."""
        ...

    def files(self, piece: Piece) -> Sequence[Path]:
        """What is read for a piece."""
        ...

    def read(self, piece: Piece) -> Mapping[str, np.ndarray]:
        """The rows of a piece."""
        ...


class Store:
    """A data set on disk, which `fit` streams. Made by `open_store`.

    Args:
        path: as it was given.
        format: of its files.

    `len(store)` is its number of rows, `store.events`, `store.dtypes` and `store.row_bytes` tell its variables,
    `store.read(i)` gives the rows of piece i as a dict of arrays, and iteration all pieces in order.

    Raises:
        DataError: nothing there, or not what a store is.
    """

    def __init__(self, path: Path, format: Format) -> None:
        self.path, self.format = path, format
        try:
            columns, self.pieces = format.scan()
        except PermissionError as error:
            raise DataError(f"{error.filename or path} may not be read: permission denied") from None
        self.events, self.dtypes, self.row_bytes = columns.events, columns.dtypes, columns.row_bytes
        self.sizes = [piece.stop - piece.start for piece in self.pieces]
        if not sum(self.sizes):
            raise DataError(f"{path} has no rows")
        self.stamps = {file: _stamp(file) for piece in self.pieces for file in format.files(piece)}

    def __repr__(self) -> str:
        found = listing(f"{name} {(len(self), *event)}" for name, event in self.events.items())
        return f"Store({str(self.path)!r}: {found})"

    def __len__(self) -> int:
        return sum(self.sizes)

    def __iter__(self) -> Iterator[Mapping[str, np.ndarray]]:
        return (self.read(index) for index in range(len(self.pieces)))

    def read(self, index: int) -> Mapping[str, np.ndarray]:
        """The rows of a piece, `{name: (n, *event)}`.

        Raises:
            DataError: the file has changed since the store was opened, or is damaged.
        """
        piece = self.pieces[index]
        self._require_unchanged(piece)
        try:
            rows = self.format.read(piece)
        except DataError:
            raise
        except PermissionError:
            raise DataError(f"{piece.file} may not be read: permission denied") from None
        except (OSError, ValueError, EOFError, KeyError) as error:
            raise damaged(piece.file, error) from error
        self._require_unchanged(piece)
        for name, event in self.events.items():
            if rows[name].shape != (self.sizes[index], *event):
                raise damaged(piece.file, f"{name!r} has shape {rows[name].shape}")
        return rows

    def fingerprint(self) -> str:
        """Which store it is: its schema, and names and sizes of its files."""
        files = [(file.name, size) for file, (size, _) in self.stamps.items()]
        pieces = [(piece.file.name, piece.start, piece.stop) for piece in self.pieces]
        facts = repr((sorted(self.events.items()), files, pieces))
        return hashlib.blake2b(facts.encode(), digest_size=16).hexdigest()

    def _require_unchanged(self, piece: Piece) -> None:
        for file in self.format.files(piece):
            try:
                same = _stamp(file) == self.stamps[file]
            except FileNotFoundError:
                same = False
            if not same:
                raise DataError(
                    f"{file} was changed or removed while it is read\n"
                    "Wait until it is complete, and open the store anew."
                )


def open_store(path: Any) -> Store:
    """A data set on disk, for `fit`: nothing but headers is read here.

    Args:
        path: a folder written by `write_store`; a folder of `.npz` files that hold the same variables; a folder of one
            `.npy` file for each variable; an HDF5 file (`.h5`, `.hdf5`) or a Zarr group (`.zarr`) with one array for
            each variable. The first axis of every array is that of the rows.

    Raises:
        DataError: no such path, no permission, not a store, damaged, incomplete, or empty.
        ShapeError: variables with different numbers of rows, or files with different shapes.
    """
    try:
        path = Path(path)
    except TypeError:
        raise DataError(f"A store has a path, got {path!r}") from None
    if not path.exists():
        raise DataError(f"There is no {path}\nsbicore.write_store(path, simulator, n=...) writes a store.")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path} may not be read: permission denied")
    return Store(path, _format(path))


def _format(path: Path) -> Format:
    if path.is_file():
        if zipfile.is_zipfile(path):
            raise DataError(f"{path} is a single file of arrays\nGive the folder that has it, or np.load(path).")
        from .hdf5 import HDF5

        return HDF5(path)
    if path.suffix == ".zarr" or any((path / name).exists() for name in (".zgroup", "zarr.json")):
        from .zarr import Zarr

        return Zarr(path)
    if any(path.glob("*.npy")):
        from .npy import NPY

        return NPY(path)
    from .npz import NPZ

    return NPZ(path)


def cut(path: Path, rows: int, row_bytes: int, whole: int = 1) -> list[Piece]:
    """Pieces of about a MiB, in multiples of `whole` rows."""
    step = max(whole, PIECE_BYTES // max(1, row_bytes) // whole * whole, 1)
    return [Piece(path, start, min(start + step, rows)) for start in range(0, rows, step)]


def require_numbers(path: Path, shapes: Mapping[str, Sequence[int]], dtypes: Mapping[str, np.dtype]) -> int:
    """The common number of rows of all variables.

    Raises:
        DataError: no variables, none of numbers, or without rows.
        ShapeError: different numbers of rows.
    """
    if not shapes:
        raise DataError(f"{path} has no variables\nGive one array (N, ...) for each.")
    for name, shape in shapes.items():
        if dtypes[name].kind not in "biuf":
            raise DataError(f"{path}: {name!r} is not numeric: dtype {dtypes[name]}", variable=name)
        if not shape:
            raise DataError(f"{path}: {name!r} is a single number, not one row for each simulation", variable=name)
    counts = {name: shape[0] for name, shape in shapes.items()}
    if len(set(counts.values())) > 1:
        found = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise ShapeError(f"{path}: variables have different numbers of rows: {found}")
    return next(iter(counts.values()))


def damaged(path: Path, reason: Any) -> DataError:
    """The error for a file that is cut short or no such file."""
    return DataError(f"{path} is damaged, cut short, or not a store: {reason}\nWrite it again.")


def _stamp(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns
