"""When torch.compile pays.

With `auto` a fit starts eager. Compilation starts only when what it is expected to save in the
remaining steps exceeds twice what it costs to start, by measurements of the same network,
batch and machine that earlier fits left in the cache folder, or by a cautious guess without
any. A compiled step that turns out no faster is given up again; a compiler that fails leaves
a finished eager fit. A network that declares `compiles = False`, or has such a component, is left
eager.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

from ..backbone import compiled_parts
from ..config import parts_of
from ..errors import TrainingWarning

__all__ = ["Compilation", "compiles"]

_SETTLE, _WINDOW = 10, 40
_GUESSED_WARMUP, _GUESSED_SPEEDUP = 40.0, 1.4


def compiles(config: Any) -> bool:
    """Whether neither the config nor a component inside it says that torch.compile is not for it."""
    return all(getattr(part, "compiles", True) for part in parts_of(config))


class Compilation:
    """Switches the backbones of a module between eager and compiled during a fit."""

    def __init__(self, module: nn.Module, mode: str, total_steps: int, device: torch.device, batch_size: int) -> None:
        self.backbones = compiled_parts(module)
        self.mode = mode if self.backbones else "never"
        self.total_steps = total_steps
        self.device = device
        self.active = False
        self.times: list[float] = []
        self.last = time.perf_counter()
        self.eager = 0.0
        self.warmup = 0.0
        self.key = self._key(batch_size)
        self.deciding = self.mode == "auto"
        if self.mode == "always":
            self._compile()

    def after_step(self, step: int) -> None:
        """Measure, and decide once there is something to decide on."""
        if not self.deciding:
            return
        now = time.perf_counter()
        self.times.append(now - self.last)
        self.last = now
        if len(self.times) < _SETTLE + _WINDOW:
            return
        typical = median(self.times[_SETTLE:])
        if self.active:
            self.warmup = max(0.0, sum(self.times[:_SETTLE]) - _SETTLE * typical)
            _remember(self.key, {"eager": self.eager, "compiled": typical, "warmup": self.warmup})
            self.deciding = False
            if typical >= self.eager:
                self._eager()
            return
        self.eager = typical
        self.times = []
        remaining = self.total_steps - step
        known = _recall(self.key) or {
            "eager": typical,
            "compiled": typical / _GUESSED_SPEEDUP,
            "warmup": _GUESSED_WARMUP,
        }
        saved = typical * (1 - known["compiled"] / known["eager"]) * remaining
        if saved > 2 * known["warmup"]:
            self._compile()
            self.last = time.perf_counter()
        else:
            self.deciding = False

    @contextlib.contextmanager
    def suspended(self) -> Iterator[None]:
        """Eager for a while: validation has other batch sizes."""
        kept = [part._compiled_call_impl for part in self.backbones]
        self._set([None] * len(kept))
        try:
            yield
        finally:
            self._set(kept)
            self.last = time.perf_counter()

    def finish(self) -> None:
        """Leave eager modules behind."""
        self._set([None] * len(self.backbones))

    def _compile(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled = [_guarded(part, self) for part in self.backbones]
        self._set(compiled)
        self.active = True

    def _eager(self) -> None:
        self._set([None] * len(self.backbones))
        self.active = False

    def _set(self, calls: list[Any]) -> None:
        for part, call in zip(self.backbones, calls, strict=True):
            part._compiled_call_impl = call

    def _key(self, batch_size: int) -> str:
        shapes = [tuple(p.shape) for part in self.backbones for p in part.parameters()]
        facts = (torch.__version__, self.device.type, torch.get_num_threads(), platform.machine(), batch_size, shapes)
        kinds = [type(m).__qualname__ for part in self.backbones for m in part.modules()]
        return hashlib.sha256(repr((facts, kinds)).encode()).hexdigest()[:24]


def _guarded(part: nn.Module, owner: Compilation) -> Any:
    """The compiled call, which turns itself off when the compiler fails."""
    compiled = torch.compile(part._call_impl)

    def call(*arguments: Any, **keywords: Any) -> Any:
        try:
            return compiled(*arguments, **keywords)
        except Exception as error:
            owner.deciding = False
            owner._eager()
            reason = str(error).strip().split("\n")[0][:200]
            warnings.warn(
                f"torch.compile failed ({type(error).__name__}: {reason}); training goes on without it.",
                TrainingWarning,
                stacklevel=2,
            )
            return part._call_impl(*arguments, **keywords)

    return call


def _folder() -> Path:
    return Path(os.environ.get("SBICORE_CACHE") or Path.home() / ".cache" / "sbicore") / "compile"


def _recall(key: str) -> dict[str, float] | None:
    try:
        found = json.loads((_folder() / f"{key}.json").read_text("utf-8"))
        return {name: float(found[name]) for name in ("eager", "compiled", "warmup")}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _remember(key: str, facts: dict[str, float]) -> None:
    with contextlib.suppress(OSError):
        _folder().mkdir(parents=True, exist_ok=True)
        target = _folder() / f"{key}.json"
        beside = target.with_suffix(f".{os.getpid()}")
        beside.write_text(json.dumps(facts), "utf-8")
        beside.replace(target)
