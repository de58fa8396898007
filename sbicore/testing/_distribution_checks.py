"""What is asked of distributions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ..errors import ConfigError
from ..protocols import Distribution
from ..randomness import RowGenerators, generator_for
from ..shapes import Shapes
from ._check import NotApplicable, require, require_protocol
from ._density import COUNT, require_line, require_plane

LEADS = ((), (7,), (3, 7))


def built(config: Any, *sizes: int) -> tuple[Any, int]:
    """A distribution over the first of these event sizes that its values fit; NotApplicable without."""
    for size in sizes:
        try:
            return config.build(Shapes(target=(size,))), size
        except ConfigError:
            continue
    raise NotApplicable(f"it fits no event of {' or '.join(map(str, sizes))} numbers")


def check_methods(config: Any) -> None:
    """It builds for an event of one to three numbers, and has `sample` and `log_prob`."""
    try:
        distribution, _ = built(config, 3, 2, 1)
    except NotApplicable as reason:
        raise AssertionError(str(reason)) from None
    require_protocol(distribution, Distribution)


def check_draws(config: Any) -> None:
    """`sample(shape)` gives finite draws of exactly this shape, in the dtype of `like`, with a generator or without."""
    distribution, size = built(config, 3, 2, 1)
    for lead in LEADS:
        draws = distribution.sample((*lead, size), generator=generator_for(1))
        require(draws.shape == (*lead, size), f"expected {(*lead, size)}, got {tuple(draws.shape)}")
        require(draws.isfinite().all(), "draws are not finite")
        for dtype in (torch.float32, torch.float64):
            found = distribution.sample((*lead, size), like=torch.zeros(1, dtype=dtype)).dtype
            require(found == dtype, f"like={dtype} gives {found}")


def check_generators(config: Any) -> None:
    """All randomness comes from `generator`; of several, one a row, each row is drawn from its own alone."""
    distribution, size = built(config, 3, 2, 1)

    def rows(*chosen: int) -> Tensor:
        generators = RowGenerators(0, [(row,) for row in chosen])
        return distribution.sample((len(chosen), 50, size), generator=generators).detach()

    def draw(seed: int) -> Tensor:
        return distribution.sample((50, size), generator=generator_for(seed)).detach()

    require(torch.equal(draw(1), draw(1)), "the same generator gives other draws")
    require(not torch.equal(draw(1), draw(2)), "another generator gives the same draws")
    draws = rows(0, 1, 2)
    require(draws.shape == (3, 50, size), f"expected {(3, 50, size)}, got {tuple(draws.shape)}")
    require(not torch.equal(draws[0], draws[1]), "rows of different generators are alike")
    require(torch.equal(rows(1), draws[1:2]), "a row depends on its neighbours")


def check_log_prob(config: Any) -> None:
    """`log_prob` maps `(*, *event)` to finite numbers `(*)` in the dtype given, each row for itself."""
    distribution, size = built(config, 3, 2, 1)
    for lead in LEADS:
        x = distribution.sample((*lead, size), generator=generator_for(1)).detach()
        for dtype in (torch.float32, torch.float64):
            values = distribution.log_prob(x.to(dtype))
            require(values.shape == lead, f"expected {lead}, got {tuple(values.shape)}")
            require(values.dtype == dtype, f"{dtype} gives {values.dtype}")
            require(values.isfinite().all(), "it is not finite at draws")
    alone = distribution.log_prob(x[1:2, 2:3].double())
    require(torch.allclose(alone, distribution.log_prob(x.double())[1:2, 2:3]), "a row depends on its neighbours")


def check_device(config: Any) -> None:
    """Numbers stay on their device: make tensors with `device=x.device`, and never call `item()`."""
    distribution, size = built(config, 3, 2, 1)
    distribution = distribution.to("meta") if hasattr(distribution, "to") else distribution
    x = torch.zeros((7, size), device="meta")
    for name, call in (
        ("sample", lambda: distribution.sample(x.shape, like=x)),
        ("log_prob", lambda: distribution.log_prob(x)),
    ):
        try:
            got = call()
        except (RuntimeError, NotImplementedError) as error:
            raise AssertionError(f"{name}: on the device meta: {error}") from error
        require(got.device.type == "meta", f"{name}: numbers on meta give {got.device}")


def check_gradients(config: Any) -> None:
    """A gradient of `log_prob` reaches every parameter, and is finite there and at x."""
    distribution, size = built(config, 3, 2, 1)
    x = distribution.sample((64, size), generator=generator_for(1)).detach().requires_grad_()
    value = distribution.log_prob(x).square().sum()
    parameters = dict(distribution.named_parameters()) if hasattr(distribution, "named_parameters") else {}
    trained = {name: parameter for name, parameter in parameters.items() if parameter.requires_grad}
    found = torch.autograd.grad(value, [x, *trained.values()], allow_unused=True) if value.requires_grad else [None]
    for name, gradient in zip(("x", *trained), found, strict=False):
        require(name == "x" or (gradient is not None and gradient.any()), f"none reaches {name}")
        require(gradient is None or gradient.isfinite().all(), f"at {name} it is not finite")


def check_density(config: Any) -> None:
    """In one dimension the density integrates to one and is that of the draws."""
    distribution, _ = built(config, 1)
    draws = distribution.sample((COUNT, 1), generator=generator_for(1), like=torch.zeros(1, dtype=torch.float64))
    require_line(distribution.log_prob, draws)


def check_density_of_pairs(config: Any) -> None:
    """In two dimensions the density integrates to one and is that of the draws."""
    distribution, _ = built(config, 2)
    draws = distribution.sample((COUNT, 2), generator=generator_for(1), like=torch.zeros(1, dtype=torch.float64))
    require_plane(distribution.log_prob, draws)


CHECKS = (
    check_methods,
    check_draws,
    check_generators,
    check_log_prob,
    check_device,
    check_gradients,
    check_density,
    check_density_of_pairs,
)
