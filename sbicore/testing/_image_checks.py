"""What is asked of subnets of images beyond what holds for all: sizes, axes, conditions, forward derivatives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from ..shapes import Shapes
from ._cases import Case, cases
from ._check import only, require

__all__ = ["CHECKS"]

SIZES = {1: ((1,), (7,), (12,)), 2: ((1, 1), (2, 9), (7, 5), (12, 4)), 3: ((3, 2, 5),)}
LEAD = (2, 3)


def is_image(config: Any) -> bool:
    """Whether a subnet is one of images."""
    return bool(config.layout == "image")


@only(is_image)
def check_image_facts(config: Any) -> None:
    """`spatial_axes` holds some of 1, 2 and 3, and `takes_vectors` is True or False."""
    axes = config.spatial_axes
    require(isinstance(axes, tuple) and axes and {*axes} <= {1, 2, 3}, f"spatial_axes is {axes!r}")
    require(isinstance(config.takes_vectors, bool), f"takes_vectors is {config.takes_vectors!r}")


@only(is_image)
def check_sizes(config: Any) -> None:
    """Fields of odd, unequal and tiny sides keep them, for each of `spatial_axes` and one channel or several."""
    for case in _cases(config):
        module = case.make()
        got = module(**case.inputs(LEAD))
        expected = case.output(LEAD, module)
        require(got.shape == expected, f"{case}: expected shape {expected}, got {tuple(got.shape)}")
        require(got.isfinite().all(), f"{case}: not finite")


@only(lambda config: is_image(config) and config.takes_vectors)
def check_vectors(config: Any) -> None:
    """Conditions that are vectors, `(*, D)`, have an effect, and one row for all draws is as good as one for each."""
    target = (4,) * config.spatial_axes[0] + (2,)
    case = _case(config, target, (5,))
    module, given = case.make().double(), case.inputs(LEAD, torch.float64)
    if "t" in given:
        given["t"] = given["t"].flatten()[:1].expand_as(given["t"])
    given["conditions"] = given["conditions"][:, :1].expand_as(given["conditions"])
    shared = given | {"conditions": given["conditions"][:, :1]}
    shared |= {"t": given["t"].flatten()[:1]} if "t" in given else {}
    whole = module(**given)
    require(torch.allclose(module(**shared), whole, rtol=1e-5, atol=1e-5), f"{case}: shared ones give other numbers")
    changed = module(**{**given, "conditions": given["conditions"] + 0.5})
    require(not torch.equal(changed, whole), f"{case}: conditions have no effect")


@only(is_image)
def check_forward_mode(config: Any) -> None:
    """Forward differentiation, which `stable_consistency_model` needs, agrees with differences.

    Attention on the plain kernel has it.
    """
    *_, case = cases(config)
    module, given = case.make().double(), case.inputs((3,), torch.float64)
    along = {name: torch.ones_like(value) for name, value in given.items() if name in ("x", "t")}

    def moved(step: float) -> Any:
        return module(**{name: value + step * along[name] if name in along else value for name, value in given.items()})

    fixed = {name: value for name, value in given.items() if name not in along}
    names = list(along)
    jvp: Any = torch.func.jvp
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
            _, found = jvp(
                lambda *values: module(**dict(zip(names, values, strict=True)), **fixed),
                tuple(given[name] for name in names),
                tuple(along.values()),
            )
    except (RuntimeError, NotImplementedError) as error:
        raise AssertionError(f"{case}: {error}") from error
    with torch.no_grad():
        expected = (moved(1e-6) - moved(-1e-6)) / 2e-6
    gap = float((found - expected).abs().max() / expected.abs().max())
    require(gap < 1e-4, f"{case}: they differ by {gap:.1e}")


def _cases(config: Any) -> Iterator[Case]:
    for axes in config.spatial_axes:
        for number, size in enumerate(SIZES[axes]):
            channels = 1 + number % 2
            yield _case(config, (*size, channels), (*size, 3 - channels) if number % 2 else None)


def _case(config: Any, target: tuple[int, ...], conditions: tuple[int, ...] | None) -> Case:
    time = config.uses_time != "no"
    sizes: dict[str, tuple[int, ...]] = {"x": target}
    sizes |= {"t": ()} if time else {}
    sizes |= {"conditions": conditions} if conditions else {}
    return Case(config, Shapes(target=target, conditions=conditions, time=time), sizes)


CHECKS = (check_image_facts, check_sizes, check_vectors, check_forward_mode)
