"""What is asked of subnets, and of inference networks on a tiny subnet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from ..randomness import RowGenerators, generator_for
from ..shapes import Shapes
from ._require import require
from ._toys import TinySubnet

ROWS, DRAWS = 3, 5


class TinyModule(nn.Module):
    """`W2 tanh(W1 [x, t, conditions])`; the module of `TinySubnet`."""

    def __init__(self, config: TinySubnet, shapes: Shapes) -> None:
        super().__init__()
        inputs = shapes.target[-1] + int(shapes.time) + (shapes.conditions[-1] if shapes.conditions else 0)
        self.out_features = shapes.output or config.width
        self.layers = nn.Sequential(
            nn.Linear(inputs, config.width), nn.Tanh(), nn.Linear(config.width, self.out_features)
        )

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """`(*, D), (*), (*, C) -> (*, W)`."""
        parts = [part for part in (x, None if t is None else t[..., None], conditions) if part is not None]
        lead = torch.broadcast_shapes(*(part.shape[:-1] for part in parts))
        return self.layers(torch.cat([part.expand(*lead, -1) for part in parts], dim=-1))


def shaken(module: Any) -> Any:
    """The module in evaluation mode, its parameters moved: layers that start at zero hide what follows them."""
    generator = generator_for(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def subnets(config: Any, output: int | None = None) -> Iterator[tuple[Shapes, Any]]:
    """Modules with and without time and conditions."""
    target, context = ((3,), (2,)) if config.layout == "vector" else ((8, 8, 3), (8, 8, 2))
    for time in {"required": (True,), "optional": (True, False), "no": (False,)}[config.uses_time]:
        for conditions in (None, context):
            shapes = Shapes(target=target, conditions=conditions, time=time, output=output)
            yield shapes, shaken(config.build(shapes))


def inputs(shapes: Shapes, lead: Sequence[int]) -> dict[str, Tensor]:
    """Arguments of a subnet with these leading axes."""
    sizes = {"x": shapes.target, "t": () if shapes.time else None, "conditions": shapes.conditions}
    generator = generator_for(2)
    return {k: torch.rand((*lead, *size), generator=generator) for k, size in sizes.items() if size is not None}


def check_shape(config: Any) -> None:
    """A subnet keeps leading axes and dtype, and gives `out_features` finite numbers on the last axis."""
    for output in (None, 5):
        for shapes, module in subnets(config, output):
            require(output in (None, module.out_features), f"{shapes}: out_features is {module.out_features}")
            for lead, dtype in (((), None), ((7,), torch.float64), ((3, 7), torch.float32)):
                module.to(dtype)
                got = module(**{name: value.to(dtype) for name, value in inputs(shapes, lead).items()})
                expected = (*lead, *shapes.target[:-1], module.out_features)
                require(got.shape == expected, f"{shapes}: expected shape {expected}, got {tuple(got.shape)}")
                require(got.dtype == (dtype or torch.float32), f"{shapes}: {dtype} gives {got.dtype}")
                require(got.isfinite().all(), f"{shapes}: not finite for leading axes {lead}")


def check_inputs(config: Any) -> None:
    """A subnet depends on x, on the time and on the conditions."""
    for shapes, module in subnets(config):
        given = inputs(shapes, (7,))
        for name, value in given.items():
            changed = module(**{**given, name: value + 0.5})
            require(not torch.equal(changed, module(**given)), f"{shapes}: {name} has no effect")


def check_shared(config: Any) -> None:
    """A shared `t (1,)` and `conditions (R, 1, C)` give the same numbers as full ones."""
    for shapes, module in subnets(config):
        full = inputs(shapes, (ROWS, DRAWS))
        shared = full | {k: v.flatten()[:1] if k == "t" else v[:, :1] for k, v in full.items() if k != "x"}
        full |= {k: v.expand_as(full[k]) for k, v in shared.items()}
        close = torch.allclose(module(**shared), module(**full), rtol=1e-5, atol=1e-5)
        require(close, f"{shapes}: they differ")


def check_gradients(config: Any) -> None:
    """A gradient reaches every parameter of a subnet: use each in `forward`, or drop it."""
    for shapes, module in subnets(config):
        module(**inputs(shapes, (64,))).square().sum().backward()
        found = {name: p.grad is not None and bool(p.grad.any()) for name, p in module.named_parameters()}
        require(found, f"{shapes}: there are no parameters")
        require(all(found.values()), f"{shapes}: none reaches {', '.join(n for n, ok in found.items() if not ok)}")


def networks(config: Any) -> Iterator[tuple[Any, int, Tensor | None]]:
    """Networks for one and two dimensions, with conditions `(R, 1, 4)` and without."""
    if "subnet" in attrs.fields_dict(type(config)):
        config = config.replace(subnet=TinySubnet())
    for size in (1, 2):
        for conditions in (None, torch.randn((ROWS, 1, 4), generator=generator_for(1))):
            shapes = Shapes(target=(size,), conditions=None if conditions is None else (4,))
            yield shaken(config.build(shapes)), size, conditions


def check_loss(config: Any) -> None:
    """`loss` gives one finite, differentiable number a sample, the same for the same generator."""
    for network, size, conditions in networks(config):
        for count in (1, 6):
            targets = torch.randn((count, size), generator=generator_for(2))
            given = None if conditions is None else conditions[:1, 0].expand(count, -1)
            loss, again = (network.loss(targets, given, generator=generator_for(3)) for _ in range(2))
            require(loss.shape == (count,), f"expected shape {(count,)}, got {tuple(loss.shape)}")
            require(loss.isfinite().all(), f"got {loss}")
            require(torch.equal(loss, again), "the same generator gives another loss")
            loss.mean().backward()


def check_sample(config: Any) -> None:
    """`sample` gives finite draws (R, S, *event); each row depends on its own generator alone."""
    if "sample" not in config.capabilities:
        return
    for network, size, conditions in networks(config):

        def draw(seed: int, *rows: int, network: Any = network, conditions: Tensor | None = conditions) -> Tensor:
            chosen = None if conditions is None else conditions[list(rows)]
            with torch.no_grad():
                generators = RowGenerators(seed, [(row,) for row in rows])
                return network.sample((len(rows), DRAWS), chosen, generator=generators)

        draws = draw(0, 0, 1, 2)
        require(draws.shape == (ROWS, DRAWS, size), f"expected {(ROWS, DRAWS, size)}, got {tuple(draws.shape)}")
        require(draws.isfinite().all(), "not finite")
        require(torch.equal(draws, draw(0, 0, 1, 2)), "the same seed gives other draws")
        require(not torch.equal(draws, draw(1, 0, 1, 2)), "another seed gives the same draws")
        require(torch.allclose(draw(0, 1), draws[1:2], rtol=1e-4, atol=1e-5), "a row depends on its neighbours")


def check_log_prob(config: Any) -> None:
    """`log_prob`, where `capabilities` name it, gives one finite number a draw."""
    if "log_prob" not in config.capabilities:
        return
    for network, size, conditions in networks(config):
        values = network.log_prob(torch.randn((ROWS, DRAWS, size), generator=generator_for(4)), conditions)
        require(values.shape == (ROWS, DRAWS), f"expected {(ROWS, DRAWS)}, got {tuple(values.shape)}")
        require(values.isfinite().all(), f"got {values}")


CHECKS = {
    "subnet": (check_shape, check_inputs, check_shared, check_gradients),
    "inference_network": (check_loss, check_sample, check_log_prob),
}
