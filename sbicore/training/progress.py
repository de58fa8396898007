"""Progress of long work: a tqdm bar on a terminal or in a notebook, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

__all__ = ["Progress"]

_LINE_SECONDS = 15.0


class Progress:
    """`with Progress(total, "training") as bar: bar.update(1, loss=0.3)`.

    Without a terminal a line is written at most every 15 seconds, and none for short work.
    """

    def __init__(self, total: int, label: str, *, enabled: bool = True, unit: str = "step") -> None:
        self.total, self.label, self.unit = total, label, unit
        self.done = 0
        self.figures: dict[str, str] = {}
        self._bar: Any = None
        self._enabled = enabled
        self._last = time.monotonic()
        if enabled and (sys.stderr.isatty() or "ipykernel" in sys.modules):
            from tqdm.auto import tqdm

            self._bar = tqdm(total=total, desc=label, unit=unit, mininterval=0.2, leave=True)

    def update(self, steps: int = 1, **figures: float) -> None:
        """Advance; `figures` stay shown until replaced."""
        self.done += steps
        if figures:
            self.figures.update({name: f"{value:.4g}" for name, value in figures.items()})
        if self._bar is not None:
            if figures:
                self._bar.set_postfix(self.figures, refresh=False)
            self._bar.update(steps)
        elif self._enabled and time.monotonic() - self._last > _LINE_SECONDS:
            self._last = time.monotonic()
            self._line()

    def _line(self) -> None:
        figures = "".join(f", {name} {value}" for name, value in self.figures.items())
        share = 100 * self.done / max(self.total, 1)
        print(
            f"{self.label}: {self.done}/{self.total} {self.unit}s ({share:.0f} %){figures}", file=sys.stderr, flush=True
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()
