"""What is asked of scoring rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..errors import ConfigError
from ..protocols import ScoringRule
from ..randomness import generator_for
from ._check import NotApplicable, only, require, require_protocol

__all__ = ["CHECKS", "RuleCase", "expanded", "raw_outputs", "rule_cases"]

ROWS = 7
LARGE = 30.0

Tensors = dict[str, Tensor]


class RuleCase(NamedTuple):
    """A rule with targets of one event shape."""

    rule: Any
    event: tuple[int, ...]
    one_hot: bool

    def raw(self, rows: int = ROWS, scale: float = 1.0, seed: int = 1, dtype: torch.dtype = torch.float64) -> Tensors:
        """Raw outputs of its heads."""
        return raw_outputs(self.rule.heads(self.event), rows, scale, seed, dtype)

    def targets(self, rows: int = ROWS, dtype: torch.dtype = torch.float64) -> Tensor:
        """Targets `(rows, *event)`."""
        found = torch.randn((rows, *self.event), generator=generator_for(3))
        return (torch.eye(self.event[0])[found.argmax(-1)] if self.one_hot else found).to(dtype)

    def __str__(self) -> str:
        return f"targets {self.event}"


def rule_cases(config: Any, *events: tuple[int, ...]) -> Iterator[RuleCase]:
    """The rule with targets of these shapes, where it takes them, by default of three numbers and of one."""
    rule, one_hot = config.build(), config.targets == "one_hot"
    taken = 0
    for event in events or (((4,), (2,)) if one_hot else ((3,), (1,))):
        try:
            rule.heads(event)
        except ConfigError:
            continue
        taken += 1
        yield RuleCase(rule, event, one_hot)
    if not taken:
        raise NotApplicable(f"it takes no targets of shape {' or '.join(map(str, events or ((3,), (1,))))}")


def raw_outputs(
    heads: Mapping[str, tuple[int, ...]], rows: int, scale: float, seed: int, dtype: torch.dtype
) -> Tensors:
    """Normal raw outputs for these heads."""
    generator = generator_for(seed)
    return {name: scale * torch.randn((rows, *heads[name]), generator=generator).to(dtype) for name in sorted(heads)}


def expanded(estimates: Mapping[str, Tensor], rows: int) -> Tensors:
    """Estimates without leading axes, the same for each row."""
    return {name: value.expand(rows, *value.shape) for name, value in estimates.items()}


def check_methods(config: Any) -> None:
    """The rule has all of `sbicore.protocols.ScoringRule`, `sample` and `log_prob` exactly if `capabilities` say so."""
    require(config.targets in {"real", "one_hot"}, f"targets is {config.targets!r}")
    rule = config.build()
    require_protocol(rule, ScoringRule)
    for name in ("sample", "log_prob"):
        has, says = hasattr(rule, name), name in config.capabilities
        require(has == says, f"capabilities are {sorted(config.capabilities)}, {name} is {'there' if has else 'not'}")


def check_heads(config: Any) -> None:
    """`heads(event)` gives the shapes of the raw outputs by name, at least one."""
    try:
        taken = list(rule_cases(config))
    except NotApplicable as reason:
        raise AssertionError(str(reason)) from None
    for case in taken:
        heads = case.rule.heads(case.event)
        require(heads and isinstance(heads, dict), f"{case}: got {heads!r}")
        for name, shape in heads.items():
            fine = isinstance(name, str) and isinstance(shape, tuple) and all(type(size) is int for size in shape)
            require(fine, f"{case}: head {name!r} is {shape!r}, expected a tuple of whole numbers")


def check_link(config: Any) -> None:
    """`link` gives finite estimates `(B, ...)` in the dtype of the raw outputs, whatever they are, row by row."""
    for case in rule_cases(config):
        for dtype in (torch.float32, torch.float64):
            raws = [case.raw(dtype=dtype)]
            raws += [{name: torch.full_like(v, sign * LARGE) for name, v in raws[0].items()} for sign in (1, -1)]
            for raw in raws:
                estimates = case.rule.link(raw)
                require(estimates, f"{case}: there are no estimates")
                for name, value in estimates.items():
                    require(
                        value.shape[:1] == (ROWS,), f"{case}: {name} has shape {tuple(value.shape)} for {ROWS} rows"
                    )
                    require(value.dtype == dtype, f"{case}: {dtype} gives {name} in {value.dtype}")
                    size = max(float(v.abs().max()) for v in raw.values())
                    require(value.isfinite().all(), f"{case}: {name} is not finite for raw outputs of size {size:.0f}")
        whole = case.rule.link(raws[0])
        for name, value in case.rule.link({name: value[2:3] for name, value in raws[0].items()}).items():
            require(torch.allclose(value, whole[name][2:3]), f"{case}: a row of {name} depends on its neighbours")


def check_score(config: Any) -> None:
    """`score` gives one finite number a row `(B,)` in the dtype of the targets, from that row alone."""
    for case in rule_cases(config):
        for dtype in (torch.float32, torch.float64):
            for rows in (1, ROWS):
                for scale in (1.0, LARGE / 10):
                    estimates = case.rule.link(case.raw(rows, scale, dtype=dtype))
                    score = case.rule.score(estimates, case.targets(rows, dtype))
                    require(score.shape == (rows,), f"{case}: expected shape {(rows,)}, got {tuple(score.shape)}")
                    require(score.dtype == dtype, f"{case}: {dtype} gives {score.dtype}")
                    require(score.isfinite().all(), f"{case}: it is not finite")
        alone = case.rule.score({name: v[2:3] for name, v in estimates.items()}, case.targets(dtype=dtype)[2:3])
        require(torch.allclose(alone, score[2:3]), f"{case}: a row depends on its neighbours")
        targets = case.targets(dtype=dtype)
        other = case.rule.score(estimates, targets.flip(-1) if case.one_hot else targets + 1)
        require(not torch.equal(other, score), f"{case}: the targets have no effect")


def check_gradients(config: Any) -> None:
    """A finite gradient of the score reaches each of the heads: drop a head that the score does not need."""
    for case in rule_cases(config):
        raw = {name: value.requires_grad_() for name, value in case.raw().items()}
        case.rule.score(case.rule.link(raw), case.targets()).sum().backward()
        for name, value in raw.items():
            gradient = torch.zeros(1) if value.grad is None else value.grad
            require(gradient.any(), f"{case}: none reaches {name}")
            require(gradient.isfinite().all(), f"{case}: at {name} it is not finite")


def check_device(config: Any) -> None:
    """Numbers stay on their device: make tensors with `device=targets.device`, and never call `item()`."""
    for case in rule_cases(config):
        rule = case.rule.to("meta") if hasattr(case.rule, "to") else case.rule
        try:
            got = rule.score(
                rule.link({name: v.to("meta") for name, v in case.raw().items()}), case.targets().to("meta")
            )
        except (RuntimeError, NotImplementedError) as error:
            raise AssertionError(f"{case}: on the device meta: {error}") from error
        require(got.device.type == "meta", f"{case}: numbers on meta give {got.device}")


@only(lambda config: hasattr(config.build(), "summarize"))
def check_summarize(config: Any) -> None:
    """`summarize(draws (N, *event))` gives finite estimates of the names and shapes of `link`, without leading axes."""
    for case in rule_cases(config):
        estimates, linked = case.rule.summarize(case.targets(100)), case.rule.link(case.raw())
        shapes = [{name: tuple(value.shape) for name, value in found.items()} for found in (estimates, linked)]
        expected = {name: shape[1:] for name, shape in shapes[1].items()}
        require(shapes[0] == expected, f"{case}: expected {expected}, got {shapes[0]}")
        require(all(value.isfinite().all() for value in estimates.values()), f"{case}: estimates are not finite")


CHECKS = (
    check_methods,
    check_heads,
    check_link,
    check_score,
    check_gradients,
    check_device,
    check_summarize,
)
