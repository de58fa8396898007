"""Options of draws by ratios."""

from __future__ import annotations

from .config import Options, frozen
from .fields import integer

__all__ = ["ImportanceOptions", "MCMCOptions"]


@frozen(kw_only=True)
class ImportanceOptions(Options):
    """Of `sample(method="importance")`."""

    candidates: int = integer(
        100_000, ge=1, doc="Draws of the prior that are weighted; at most as many as are kept, where no prior is given."
    )


@frozen(kw_only=True)
class MCMCOptions(Options):
    """Of `sample(method="mcmc")`."""

    candidates: int = integer(20_000, ge=1, doc="Draws of the prior among which the walkers start, by their weights.")
    walkers: int | None = integer(
        None,
        ge=4,
        optional=True,
        doc="At least twice the parameters; by default as many as draws, up to 1000.",
    )
    warmup: int = integer(200, ge=0, doc="Moves of every walker before the first draw.")
    thin: int = integer(20, ge=1, doc="Moves from one draw of a walker to its next.")
