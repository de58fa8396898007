"""Devices by name, checked before any work."""

from __future__ import annotations

from typing import Any

import torch

from .errors import ConfigError

__all__ = ["usable_device"]


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
