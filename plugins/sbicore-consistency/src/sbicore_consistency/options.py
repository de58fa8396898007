"""Options of draws of both models."""

from __future__ import annotations

from sbicore.config import Options, frozen
from sbicore.fields import integer, number

__all__ = ["DrawOptions"]


@frozen(kw_only=True)
class DrawOptions(Options):
    """Options of `sample`."""

    steps: int = integer(2, ge=1, doc="Evaluations of the network; each after the first adds noise and takes it out.")
    guidance_strength: float = number(
        1.0,
        doc="0 leaves the conditions out, 1 is the posterior, more sharpens; needs drop_cond_prob (arXiv:2207.12598).",
    )
