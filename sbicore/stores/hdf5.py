"""An HDF5 file with one data set for each variable."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import ConfigError
from .store import Columns, Piece, cut, damaged, require_numbers

__all__ = ["HDF5", "Grouped", "library"]


class Grouped:
    """Arrays by name that are read in slices, whatever the library.

    Args:
        path: of the file or folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.arrays: dict[str, Any] = {}

    def opened(self) -> Mapping[str, Any]:
        """Arrays by name."""
        raise NotImplementedError

    def scan(self) -> tuple[Columns, list[Piece]]:
        """See `Format`."""
        self.arrays = dict(self.opened())
        dtypes = {name: np.dtype(array.dtype) for name, array in self.arrays.items()}
        rows = require_numbers(self.path, {name: array.shape for name, array in self.arrays.items()}, dtypes)
        columns = Columns({name: tuple(array.shape[1:]) for name, array in self.arrays.items()}, dtypes)
        whole = max(array.chunks[0] if array.chunks else 1 for array in self.arrays.values())
        return columns, cut(self.file, rows, columns.row_bytes, min(whole, max(rows, 1)))

    @property
    def file(self) -> Path:
        """Whose size and time tell whether the store has changed."""
        return self.path

    def files(self, piece: Piece) -> Sequence[Path]:
        """See `Format`."""
        return [self.file]

    def read(self, piece: Piece) -> Mapping[str, np.ndarray]:
        """See `Format`."""
        return {name: array[piece.start : piece.stop] for name, array in self.arrays.items()}


class HDF5(Grouped):
    """Read by h5py; chunks of the file are read whole."""

    def opened(self) -> Mapping[str, Any]:
        """See `Grouped`."""
        h5py = library("h5py", self.path)
        try:
            file = h5py.File(self.path, "r")
        except OSError as error:
            raise damaged(self.path, error) from error
        return {name: value for name, value in file.items() if isinstance(value, h5py.Dataset)}


def library(name: str, path: Path) -> Any:
    """A package that reads a format.

    Raises:
        ConfigError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ConfigError(f'{path} needs {name}, which is not installed\npip install "sbicore[disk]"') from None
