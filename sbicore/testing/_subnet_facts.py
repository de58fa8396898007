"""Whether a subnet says of itself what the others rely on."""

from __future__ import annotations

from typing import Any

from ._check import decisive, require

__all__ = ["CHECKS"]


@decisive
def check_facts(config: Any) -> None:
    """`uses_time` is `required`, `optional` or `no`, and `layout` is `vector` or `image`."""
    require(config.uses_time in {"required", "optional", "no"}, f"uses_time is {config.uses_time!r}")
    require(config.layout in {"vector", "image"}, f"layout is {config.layout!r}")


CHECKS = (check_facts,)
