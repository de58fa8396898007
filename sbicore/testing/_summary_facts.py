"""Whether a summary network says of itself what the others rely on."""

from __future__ import annotations

from typing import Any

from ._check import decisive, require

__all__ = ["CHECKS"]

LAYOUTS = {"set", "series", "image"}
CAPABILITIES = {"masks", "permutation_invariant"}


@decisive
def check_facts(config: Any) -> None:
    """`layout` is `set`, `series` or `image`; `capabilities` are `masks`, `permutation_invariant`, none for images."""
    require(config.layout in LAYOUTS, f"layout is {config.layout!r}")
    known = set() if config.layout == "image" else CAPABILITIES
    strange = sorted(config.capabilities - known)
    require(not strange, f"a {config.layout} network cannot have {', '.join(strange)}")


CHECKS = (check_facts,)
