"""Devices by name, checked before any work, and what they say when their memory is full."""

from __future__ import annotations

from textwrap import shorten
from typing import Any

import torch

from ._messages import listing
from .errors import ConfigError

__all__ = ["is_memory_error", "usable_device"]

_WORDS = ("can't allocate memory", "not enough memory", "out of memory")


def usable_device(device: Any) -> torch.device:
    """The device, if tensors can be made there.

    Raises:
        ConfigError: no such device, or not on this machine or in this build of torch.
    """
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError, TypeError, NotImplementedError) as error:
        reason = shorten(str(error).strip().split("\n")[0], 120, placeholder=" ...")
        raise ConfigError(
            f"device {device!r} cannot be used: {reason}\nGive one that is here: {listing(map(repr, _found()))}"
        ) from None
    return found


def _found() -> list[str]:
    """Types of devices that this machine and build of torch have."""
    here = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [name for name, there in here.items() if there]


def is_memory_error(error: BaseException) -> bool:
    """Whether this is an error of torch, or Python's own, that tells of too little memory."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _WORDS)
