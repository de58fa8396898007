"""What subnets are called with, and what must come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..shapes import Shapes

LEADS = ((), (7,), (3, 7))


def cases(config: Any, output: int | None = None) -> Iterator[tuple[Shapes, Any]]:
    """Built modules with and without time and conditions, in evaluation mode, moved off their start values.

    Layers that start at zero would hide what depends on what.
    """
    vector = config.layout == "vector"
    times = {"required": (True,), "optional": (True, False), "no": (False,)}[config.uses_time]
    for time in times:
        for conditions in (None, (2,) if vector else (8, 8, 2)):
            shapes = Shapes(target=(3,) if vector else (8, 8, 3), conditions=conditions, time=time, output=output)
            yield shapes, shaken(config.build(shapes))


def shaken(module: Any) -> Any:
    """The module with every parameter moved by a little, in evaluation mode."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return module.eval()


def inputs(shapes: Shapes, lead: Sequence[int]) -> dict[str, Tensor | None]:
    """Random arguments of these leading axes."""
    generator = torch.Generator().manual_seed(2)
    return {
        "x": torch.randn((*lead, *shapes.target), generator=generator),
        "t": torch.rand(tuple(lead), generator=generator) if shapes.time else None,
        "conditions": torch.randn((*lead, *shapes.conditions), generator=generator) if shapes.conditions else None,
    }


def check_shape(config: Any) -> None:
    """Leading axes are kept, and the last axis holds `out_features` finite numbers."""
    for output in (None, 5):
        for shapes, module in cases(config, output):
            assert output is None or module.out_features == output, (
                f"out_features is {module.out_features} where shapes.output is {output}"
            )
            for lead in LEADS:
                got = module(**inputs(shapes, lead))
                expected = (*lead, *shapes.target[:-1], module.out_features)
                assert got.shape == expected, f"{shapes}: expected shape {expected}, got {tuple(got.shape)}"
                assert got.isfinite().all(), f"{shapes}: not finite for leading axes {lead}"


def check_dtype(config: Any) -> None:
    """The result has the dtype of parameters and input, float32 or float64."""
    for shapes, module in cases(config):
        for dtype in (torch.float32, torch.float64):
            given = {name: None if v is None else v.to(dtype) for name, v in inputs(shapes, (7,)).items()}
            got = module.to(dtype)(**given).dtype
            assert got == dtype, f"{shapes}: expected {dtype}, got {got}"


def check_inputs(config: Any) -> None:
    """The result depends on x, on the time and on the conditions."""
    for shapes, module in cases(config):
        given = inputs(shapes, (7,))
        for name, value in given.items():
            if value is not None:
                changed = module(**{**given, name: value + 0.5})
                assert not torch.equal(changed, module(**given)), f"{shapes}: {name} has no effect"


def check_shared(config: Any) -> None:
    """A shared `t (1,)` and `conditions (R, 1, C)` give the same numbers as full ones."""
    for shapes, module in cases(config):
        given = inputs(shapes, (3, 7))
        shared, full = dict(given), dict(given)
        if given["t"] is not None:
            shared["t"], full["t"] = torch.full((1,), 0.3), torch.full((3, 7), 0.3)
        if given["conditions"] is not None:
            shared["conditions"] = given["conditions"][:, :1]
            full["conditions"] = shared["conditions"].expand_as(given["conditions"])
        torch.testing.assert_close(
            module(**shared), module(**full), rtol=1e-5, atol=1e-5, msg=lambda text, at=shapes: f"{at}: {text}"
        )


def check_gradients(config: Any) -> None:
    """A gradient reaches every parameter; use each in `forward` or drop it."""
    for shapes, module in cases(config):
        module.zero_grad()
        module(**inputs(shapes, (64,))).square().sum().backward()
        dead = [name for name, p in module.named_parameters() if p.grad is None or not p.grad.any()]
        assert not dead, f"{shapes}: none reaches {', '.join(dead)}"


def check_module(config: Any) -> None:
    """The config builds an `nn.Module` with parameters that are registered."""
    for shapes, module in cases(config):
        assert isinstance(module, nn.Module), f"{shapes}: got {type(module).__name__}"
        assert any(True for _ in module.parameters()), f"{shapes}: it has no parameters"


CHECKS = (check_module, check_shape, check_dtype, check_inputs, check_shared, check_gradients)
