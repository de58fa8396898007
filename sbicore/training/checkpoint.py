"""The state of a fit in a file, from which another process goes on to the very same weights."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from ..errors import ArtifactError, ConfigError

__all__ = ["Checkpoint", "State", "digest"]

_KEY, _FORMAT = "sbicore_checkpoint", 1


class State(NamedTuple):
    """Tensors by name, and plain values."""

    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors `name.*`, without this prefix."""
        return {key[len(name) + 1 :]: value for key, value in self.tensors.items() if key.startswith(f"{name}.")}


class Checkpoint:
    """A file with the state after the last whole epoch.

    Args:
        path: of the file, in a folder that exists.

    Raises:
        ArtifactError: no path, no folder, or a file of another kind.
    """

    def __init__(self, path: Any) -> None:
        try:
            self.path = Path(path)
        except TypeError:
            raise ArtifactError(f"checkpoint takes a path, got {type(path).__name__}") from None
        if self.path.is_dir() or not self.path.parent.is_dir():
            raise ArtifactError(
                f"checkpoint {str(path)!r} cannot be a file here\nGive a name in a folder that exists, e.g. 'fit.ckpt'."
            )
        self.about: dict[str, Any] = {}
        self.state: State | None = None
        if self.path.exists():
            self.stored_about, self.state = self._read()

    @property
    def seed(self) -> int | None:
        """That of the stored fit; None without one."""
        return None if self.state is None else self.stored_about["seed"]

    def open(self, about: Mapping[str, Any]) -> None:
        """Say which fit this is.

        Raises:
            ConfigError: the file is of another one, naming what differs.
        """
        self.about = json.loads(json.dumps(dict(about)))
        if self.state is None or self.stored_about == self.about:
            return
        differs = [name for name, value in self.about.items() if self.stored_about.get(name) != value]
        raise ConfigError(
            f"{self.path} is of a fit with other {', '.join(differs)}\n"
            "Give what that fit was given, or another name, or delete the file."
        ).within("checkpoint")

    def write(self, state: State) -> None:
        """Replace the file, whole or not at all."""
        from safetensors.torch import save

        tensors = {name: value.detach().cpu().contiguous().clone() for name, value in state.tensors.items()}
        header = json.dumps({"format": _FORMAT, "about": self.about, "facts": state.facts})
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        try:
            beside.write_bytes(save(tensors, metadata={_KEY: header}))
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)

    def _read(self) -> tuple[dict[str, Any], State]:
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(self.path, framework="pt") as file:
                header = json.loads((file.metadata() or {})[_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, ValueError) as error:
            raise ArtifactError(f"{self.path} is no checkpoint of a fit\nGive another name, or delete it.") from error
        if header["format"] != _FORMAT:
            raise ArtifactError(f"{self.path} has format {header['format']}, this version reads {_FORMAT}")
        return header["about"], State(tensors, header["facts"])


def digest(tensors: Mapping[str, Tensor]) -> str:
    """A fingerprint of values."""
    found = hashlib.blake2b(digest_size=16)
    for name, value in sorted(tensors.items()):
        found.update(name.encode())
        found.update(value.detach().cpu().contiguous().numpy().tobytes())
    return found.hexdigest()
