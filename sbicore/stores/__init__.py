"""Data sets on disk: read in pieces, written in parts."""

from .store import Piece, Store, open_store
from .writing import write_store

__all__ = ["Piece", "Store", "open_store", "write_store"]
