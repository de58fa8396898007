"""A folder of `.npz` files, each with some rows of every variable."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..errors import DataError
from .store import Columns, Piece, damaged, require_numbers

__all__ = ["DESCRIPTION", "NPZ", "array_header", "described", "header"]

DESCRIPTION = "store.json"
"""Of a store that `write_store` wrote: how many rows it has when complete."""


class NPZ:
    """Each file is read as a whole; the checksums of its arrays are verified."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def scan(self) -> tuple[Columns, list[Piece]]:
        """See `Format`."""
        files = sorted(self.path.glob("*.npz"))
        if not files:
            raise DataError(
                f"{self.path} is no store: it has neither .npz nor .npy files\n"
                "sbicore.write_store(path, simulator, n=...) writes a store."
            )
        found = [header(file) for file in files]
        for file, (columns, _) in zip(files, found, strict=True):
            found[0][0].require_same(columns, file, files[0])
        self._require_complete(sum(rows for _, rows in found))
        return found[0][0], [Piece(file, 0, rows) for file, (_, rows) in zip(files, found, strict=True)]

    def files(self, piece: Piece) -> Sequence[Path]:
        """See `Format`."""
        return [piece.file]

    def read(self, piece: Piece) -> Mapping[str, np.ndarray]:
        """See `Format`."""
        try:
            with np.load(piece.file, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except zipfile.BadZipFile as error:
            raise damaged(piece.file, error) from error

    def _require_complete(self, rows: int) -> None:
        about = described(self.path)
        if about and rows != about["rows"]:
            raise DataError(
                f"{self.path} has {rows} of {about['rows'] or 'an unknown number of'} rows\n"
                "Call write_store again with the same arguments to go on."
            )


def described(path: Path) -> dict[str, Any]:
    """What `write_store` said about a folder; nothing where it did not write it."""
    file = path / DESCRIPTION
    if not file.exists():
        return {}
    try:
        return dict(json.loads(file.read_text()))
    except (ValueError, TypeError) as error:
        raise damaged(file, error) from error


def header(file: Path) -> tuple[Columns, int]:
    """Schema and number of rows of a file, without its values."""
    shapes, dtypes = {}, {}
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.namelist():
                name = member.removesuffix(".npy")
                with archive.open(member) as stream:
                    shapes[name], _, dtypes[name] = array_header(stream)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise damaged(file, error) from error
    rows = require_numbers(file, shapes, dtypes)
    return Columns({name: tuple(shape[1:]) for name, shape in shapes.items()}, dtypes), rows


def array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and dtype of the array that begins here."""
    formats: Any = np.lib.format
    first = formats.read_magic(stream) == (1, 0)
    shape, fortran, dtype = (formats.read_array_header_1_0 if first else formats.read_array_header_2_0)(stream)
    return tuple(shape), fortran, dtype
