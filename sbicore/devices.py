"""Devices by name, checked before any work, and what they say when their memory is full."""

from __future__ import annotations

from typing import Any

import torch

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
        reason = str(error).strip().split("\n")[0][:120]
        raise ConfigError(f"device {device!r} cannot be used: {reason}\nGive for instance: device='cpu'") from None
    return found


def is_memory_error(error: BaseException) -> bool:
    """Whether this is an error of torch, or Python's own, that tells of too little memory."""
    if isinstance(error, (MemoryError, torch.cuda.OutOfMemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _WORDS)
