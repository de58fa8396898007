"""Options of mini-batch optimal transport."""

from __future__ import annotations

from sbicore.config import Options, frozen
from sbicore.errors import ConfigError
from sbicore.fields import choice, integer, number

__all__ = ["TransportOptions"]


@frozen(kw_only=True)
class TransportOptions(Options):
    """How noise is paired with data."""

    method: str = choice(
        "exact", options=("exact", "sinkhorn"), doc="Pairs of least cost, or pairs drawn from the entropic plan."
    )
    block_size: int = integer(128, ge=2, doc="Largest number of rows that are paired among each other.")
    condition_ratio: float | None = number(
        0.005,
        gt=0.0,
        lt=0.5,
        optional=True,
        doc="Share of the pairs of a block that conditions leave attractive; None ignores conditions: biased draws.",
    )
    partial_factor: float = number(
        1.0, gt=0.0, le=1.0, doc="Share of the rows that are paired by cost, the others at random."
    )
    regularization: float | None = number(
        None, gt=0.0, optional=True, doc="Of sinkhorn, in units of the mean squared distance; None is 0.05."
    )
    max_steps: int | None = integer(None, ge=1, optional=True, doc="Iterations of sinkhorn at most; None is 100.")

    def __attrs_post_init__(self) -> None:
        for name in ("regularization", "max_steps"):
            if self.method == "exact" and getattr(self, name) is not None:
                raise ConfigError(
                    f"{name} is of method 'sinkhorn'; the method here is 'exact'\n"
                    f"Leave {name} out, or give method='sinkhorn'."
                ).within(name)
