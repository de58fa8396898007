"""A folder with one `.npy` file for each variable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import DataError
from .npz import array_header
from .store import Columns, Piece, cut, damaged, require_numbers

__all__ = ["NPY"]


class _Array(NamedTuple):
    """Where the values of a file are."""

    file: Path
    shape: tuple[int, ...]
    dtype: np.dtype
    offset: int

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.shape[1:]))


class NPY:
    """Rows are read from their place in the file, without a memory map."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrays: dict[str, _Array] = {}

    def scan(self) -> tuple[Columns, list[Piece]]:
        """See `Format`."""
        self.arrays = {file.stem: _array(file) for file in sorted(self.path.glob("*.npy"))}
        dtypes = {name: array.dtype for name, array in self.arrays.items()}
        rows = require_numbers(self.path, {name: array.shape for name, array in self.arrays.items()}, dtypes)
        for array in self.arrays.values():
            size, expected = array.file.stat().st_size, array.offset + rows * array.row_bytes
            if size != expected:
                raise damaged(array.file, f"it has {size} bytes in place of {expected}")
        columns = Columns({name: array.shape[1:] for name, array in self.arrays.items()}, dtypes)
        return columns, cut(next(iter(self.arrays.values())).file, rows, columns.row_bytes)

    def files(self, piece: Piece) -> Sequence[Path]:
        """See `Format`."""
        return [array.file for array in self.arrays.values()]

    def read(self, piece: Piece) -> Mapping[str, np.ndarray]:
        """See `Format`."""
        count = piece.stop - piece.start
        return {
            name: np.fromfile(
                array.file,
                array.dtype,
                count * int(np.prod(array.shape[1:])),
                offset=array.offset + piece.start * array.row_bytes,
            ).reshape(count, *array.shape[1:])
            for name, array in self.arrays.items()
        }


def _array(file: Path) -> _Array:
    try:
        with file.open("rb") as stream:
            shape, fortran, dtype = array_header(stream)
            offset = stream.tell()
    except ValueError as error:
        raise damaged(file, error) from error
    if fortran and len(shape) > 1:
        raise DataError(f"{file} is stored column by column\nSave np.ascontiguousarray(array).", variable=file.stem)
    return _Array(file, shape, dtype, offset)
