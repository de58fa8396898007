"""Calls a user's module with the arguments it takes, and learns its output width."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from .errors import InvalidComponentError
from .shapes import Shapes

__all__ = ["AdaptedModule", "with_width"]


def with_width(module: nn.Module, shapes: Shapes) -> nn.Module:
    """A summary network that states its `out_features`, learnt from zeros where it does not.

    Raises:
        InvalidComponentError: it cannot be called, or its result is not one vector a row.
    """
    like = _like(module)
    zeros = {name: torch.zeros(2, *event, **like) for name, event in shapes.inputs.items()}
    x = zeros or torch.zeros(2, *shapes.target, **like)
    told = {name: tuple(value.shape) for name, value in zeros.items()} or (2, *shapes.target)
    was_training = module.training
    module.eval()
    try:
        with torch.no_grad():
            found = tuple(module(x).shape)
        if len(found) != 2 or found[0] != 2:
            raise ValueError(f"the output has shape {found}, and should have (2, S)")
    except Exception as error:
        raise InvalidComponentError(
            f"{type(module).__name__} cannot be called as a summary network on x {told}: {error}\n"
            "It takes (*, *event) and gives one vector a row, (*, S)."
        ) from error
    finally:
        module.train(was_training)
    if not hasattr(module, "out_features"):
        module.out_features = found[-1]  # type: ignore[assignment]
    return module


def _like(module: nn.Module) -> dict[str, Any]:
    """Device and dtype of a module's parameters."""
    parameter = next(module.parameters(), torch.empty(0))
    return {"device": parameter.device, "dtype": parameter.dtype if parameter.is_floating_point() else None}


class AdaptedModule(nn.Module):
    """A subnet around any module: `call` names what its forward receives."""

    def __init__(self, module: nn.Module, call: str, shapes: Shapes) -> None:
        super().__init__()
        self.module = module
        self.call = call
        self.out_features = self._probe(shapes)

    def forward(self, x: Tensor, t: Tensor | None = None, conditions: Tensor | None = None) -> Tensor:
        """`(*, D), (*), (*, C) -> (*, out_features)`."""
        if self.call == "xtc":
            return self.module(x, t, conditions)
        lead = torch.broadcast_shapes(
            x.shape[:-1], *(() if t is None else (t.shape,)), *(() if conditions is None else (conditions.shape[:-1],))
        )
        inputs = [x.expand(*lead, -1)]
        if t is not None:
            inputs.append(t.unsqueeze(-1).expand(*lead, 1))
        if self.call == "x" and conditions is not None:
            inputs.append(conditions.expand(*lead, -1))
        joined = torch.cat(inputs, dim=-1)
        return self.module(joined) if self.call == "x" else self.module(joined, conditions)

    def _probe(self, shapes: Shapes) -> int:
        """Forward passes on zeros: rows as in training, then draws of rows as in sampling, of two numbers."""
        width = self._width(shapes)
        for draws in (2, 3):
            self._width(shapes, draws)
        return width

    def _width(self, shapes: Shapes, draws: int | None = None) -> int:
        """The last axis of the output for two rows, or for this many draws of two rows."""
        like = _like(self.module)
        lead, shared = ((2,), (2,)) if draws is None else ((2, draws), (2, 1))
        x = torch.zeros(*lead, *shapes.target, **like)
        t = torch.zeros(*shared, **like) if shapes.time else None
        c = None if shapes.conditions is None else torch.zeros(*shared, *shapes.conditions, **like)
        was_training = self.module.training
        self.module.eval()
        try:
            with torch.no_grad():
                found = tuple(self.forward(x, t, c).shape)
            if found[:-1] != x.shape[:-1]:
                raise ValueError(f"the output has shape {found}, and its leading axes should be {tuple(x.shape[:-1])}")
        except Exception as error:
            advice = (
                "Use sbicore.wrap(module, call='x' | 'xc' | 'xtc') for another signature."
                if draws is None
                else "Draws have an axis more than training rows: use layers of the last axis alone, such as "
                "nn.LayerNorm in the place of nn.BatchNorm1d."
            )
            raise InvalidComponentError(
                f"{type(self.module).__name__} cannot be called as a subnet (call={self.call!r}) on x {tuple(x.shape)}"
                f"{'' if t is None else ', t ' + str(tuple(t.shape))}"
                f"{'' if c is None else ', conditions ' + str(tuple(c.shape))}: {error}\n{advice}"
            ) from error
        finally:
            self.module.train(was_training)
        return int(found[-1])
