"""Whether a summary network says of itself what the others rely on."""

from __future__ import annotations

from typing import Any

from ._check import decisive, only, require

__all__ = ["CHECKS"]

LAYOUTS = {"set", "series", "image", "named"}
CAPABILITIES = {"masks", "permutation_invariant"}


@decisive
def check_facts(config: Any) -> None:
    """`layout` is `set`, `series`, `image`, `named`; `capabilities` `masks`, `permutation_invariant`, no image's."""
    require(config.layout in LAYOUTS, f"layout is {config.layout!r}")
    known = set() if config.layout == "image" else CAPABILITIES
    strange = sorted(config.capabilities - known)
    require(not strange, f"a {config.layout} network cannot have {', '.join(strange)}")


@only(lambda config: config.layout == "named")
@decisive
def check_named(config: Any) -> None:
    """With the layout `named`, `inputs` says of each variable its `layout` and `capabilities`."""
    require(config.inputs, "inputs is empty")
    for name, read in config.inputs.items():
        layout, capabilities = (getattr(read, fact, None) for fact in ("layout", "capabilities"))
        require(layout in LAYOUTS - {"named"}, f"the layout of {name!r} is {layout!r}")
        known = set() if layout == "image" else CAPABILITIES
        require(
            isinstance(capabilities, frozenset) and capabilities <= known,
            f"capabilities of {name!r} are {capabilities!r}",
        )


CHECKS = (check_facts, check_named)
