"""A Zarr group with one array for each variable."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import DataWarning
from .hdf5 import Grouped, library
from .store import damaged

__all__ = ["Zarr"]


class Zarr(Grouped):
    """Read by zarr; chunks are read whole."""

    def opened(self) -> Mapping[str, Any]:
        """See `Grouped`."""
        zarr = library("zarr", self.path)
        try:
            arrays = dict(zarr.open_group(str(self.path), mode="r").arrays())
        except (OSError, ValueError, KeyError) as error:
            raise damaged(self.path, error) from error
        for name, array in arrays.items():
            if absent := array.nchunks - array.nchunks_initialized:
                warnings.warn(
                    f"{self.path}: {absent} of {array.nchunks} chunks of {name!r} were never written, "
                    f"and are read as {array.fill_value}.",
                    DataWarning,
                    stacklevel=7,
                )
        return arrays

    @property
    def file(self) -> Path:
        """See `Grouped`."""
        return next((self.path / name for name in ("zarr.json", ".zgroup") if (self.path / name).exists()), self.path)
