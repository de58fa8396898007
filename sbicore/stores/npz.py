"""A folder of `.npz` files, each with some rows of every variable."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np

from ..errors import DataError
from .store import Columns, Piece, cut, damaged, require_numbers

__all__ = ["DESCRIPTION", "NPZ", "array_header", "described", "differing", "header"]

DESCRIPTION = "store.json"
"""Of a store that `write_store` wrote: how many rows it has when complete."""


_LOCAL_HEADER = struct.Struct("<26xHH")


class _Member(NamedTuple):
    """An array of a file: where its values begin, and the checksums of its header and of all of it."""

    shape: tuple[int, ...]
    dtype: np.dtype
    plain: bool
    offset: int
    header_sum: int
    sum: int


class NPZ:
    """Rows are read from their place in a file, one that is compressed as a whole.

    The checksums of all arrays are verified wherever the pieces of a file are read in order, as the first pass does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members: dict[Path, dict[str, _Member]] = {}
        self._next: tuple[Path, int] | None = None
        self._sums: dict[str, int] = {}

    def scan(self) -> tuple[Columns, list[Piece]]:
        """See `Format`."""
        files = sorted(self.path.glob("*.npz"))
        if not files:
            raise DataError(
                f"{self.path} is no store: it has neither .npz nor .npy files\n"
                "sbicore.write_store(path, simulator, n=...) writes a store."
            )
        first, pieces, total = None, [], 0
        for file in files:
            members = self.members[file] = _members(file)
            columns, rows = _described(file, members)
            first = first or columns
            first.require_same(columns, file, files[0])
            plain = all(member.plain for member in members.values())
            pieces += cut(file, rows, columns.row_bytes) if plain else [Piece(file, 0, rows)]
            total += rows
        self._require_complete(total)
        return first or Columns({}, {}), pieces

    def files(self, piece: Piece) -> Sequence[Path]:
        """See `Format`."""
        return [piece.file]

    def read(self, piece: Piece) -> Mapping[str, np.ndarray]:
        """See `Format`."""
        members = self.members[piece.file]
        if all(member.plain for member in members.values()):
            with piece.file.open("rb", buffering=0) as stream:
                rows = {name: _values(stream, member, piece) for name, member in members.items()}
            self._verify(piece, rows)
            return rows
        try:
            with np.load(piece.file, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        except (zipfile.BadZipFile, zlib.error) as error:
            raise damaged(piece.file, error) from error

    def _verify(self, piece: Piece, rows: Mapping[str, np.ndarray]) -> None:
        """Go on with the checksums of a file; those of other pieces than the next one are left out."""
        members = self.members[piece.file]
        if not piece.start:
            self._sums = {name: member.header_sum for name, member in members.items()}
        elif self._next != (piece.file, piece.start):
            self._next = None
            return
        for name, values in rows.items():
            self._sums[name] = zlib.crc32(_bytes(values), self._sums[name])
            member = members[name]
            if piece.stop == member.shape[0] and self._sums[name] != member.sum:
                raise damaged(piece.file, f"{name!r} differs from its checksum")
        self._next = piece.file, piece.stop

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
    return _described(file, _members(file))


def differing(file: Path, rows: Mapping[str, np.ndarray]) -> list[str]:
    """The arrays of a file whose checksums are not those of these values, but for arrays that are no plain rows."""
    return [
        name
        for name, member in _members(file).items()
        if member.plain and zlib.crc32(_bytes(np.ascontiguousarray(rows[name])), member.header_sum) != member.sum
    ]


def _described(file: Path, members: Mapping[str, _Member]) -> tuple[Columns, int]:
    shapes = {name: member.shape for name, member in members.items()}
    dtypes = {name: member.dtype for name, member in members.items()}
    rows = require_numbers(file, shapes, dtypes)
    return Columns({name: tuple(shape[1:]) for name, shape in shapes.items()}, dtypes), rows


def _members(file: Path) -> dict[str, _Member]:
    """The arrays of a file, from their headers."""
    try:
        with file.open("rb") as raw, zipfile.ZipFile(raw) as archive:
            return {info.filename.removesuffix(".npy"): _member(raw, archive, info) for info in archive.infolist()}
    except (zipfile.BadZipFile, ValueError, EOFError, struct.error) as error:
        raise damaged(file, error) from error


def _member(raw: IO[bytes], archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> _Member:
    with archive.open(info) as stream:
        shape, fortran, dtype = array_header(stream)
        length = stream.tell()
    raw.seek(info.header_offset)
    begin = info.header_offset + _LOCAL_HEADER.size + sum(_LOCAL_HEADER.unpack(raw.read(_LOCAL_HEADER.size)))
    raw.seek(begin)
    plain = info.compress_type == zipfile.ZIP_STORED and not (fortran and len(shape) > 1)
    return _Member(shape, dtype, plain, begin + length, zlib.crc32(raw.read(length)), info.CRC)


def _values(stream: IO[bytes], member: _Member, piece: Piece) -> np.ndarray:
    """The rows of a piece, read once into their own memory."""
    values = np.empty((piece.stop - piece.start, *member.shape[1:]), member.dtype)
    into, start = _bytes(values), 0
    stream.seek(member.offset + piece.start * member.dtype.itemsize * int(np.prod(member.shape[1:])))
    while start < values.nbytes:
        count = stream.readinto(into[start:])  # type: ignore[attr-defined]
        if not count:
            raise EOFError("it ends within its values")
        start += count
    return values


def _bytes(values: np.ndarray) -> Any:
    return values.reshape(-1).view(np.uint8)


def array_header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and dtype of the array that begins here."""
    formats: Any = np.lib.format
    first = formats.read_magic(stream) == (1, 0)
    shape, fortran, dtype = (formats.read_array_header_1_0 if first else formats.read_array_header_2_0)(stream)
    return tuple(shape), fortran, dtype
