"""What is asked of inference networks, whatever they can do."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ..backbone import compiled_parts
from ..config import Options
from ..errors import SbicoreError
from ..randomness import generator_for
from ._cases import shaken
from ._check import NotApplicable, only, require
from ._network_cases import NetworkCase, close, network_cases

__all__ = ["CHECKS"]

CAPABILITIES = ("sample", "log_prob", "compositional_sample", "estimate")
ROWS = 3


def check_facts(config: Any) -> None:
    """`capabilities` are known ones, each a method; `approximator` and the options exist."""
    from .. import approximators

    require(config.capabilities, "capabilities are empty: nothing can be asked of it")
    strange = sorted(set(config.capabilities) - {*CAPABILITIES})
    require(not strange, f"capabilities hold {', '.join(map(repr, strange))}")
    for name in ("sample_options", "log_prob_options", "compositional_sample_options"):
        value = getattr(config, name)
        require(isinstance(value, type) and issubclass(value, Options), f"{name} is {value!r}, no Options class")
    require(
        config.approximator in approximators.__all__,
        f"approximator is {config.approximator!r}; there are: {', '.join(approximators.__all__)}",
    )
    for case in network_cases(config):
        network = case.make()
        missing = [
            name for name in ("loss", *sorted(config.capabilities)) if not callable(getattr(network, name, None))
        ]
        require(not missing, f"{case}: {type(network).__name__} has no method {', '.join(missing)}")


@only(lambda config: config.presets)
def check_presets(config: Any) -> None:
    """Each of `presets` makes a config of this class, and options of `fit`; no two are for as many simulations."""
    from ..presets import Preset
    from ..training import FitOptions

    for name, preset in config.presets.items():
        require(isinstance(preset, Preset), f"{name!r} is {preset!r}, no sbicore.presets.Preset")
        try:
            type(config)(**preset.completed({}))
            FitOptions.completed(preset.fit, {})
        except SbicoreError as error:
            require(False, f"{name!r}: {error}")
    sizes = [preset.simulations for preset in config.presets.values()]
    require(len(set(sizes)) == len(sizes), f"two presets are for as many simulations: {sorted(sizes)}")


@only(lambda config: "estimate" in config.capabilities)
def check_estimate(config: Any) -> None:
    """`estimate(conditions (R, C))` gives `{rule: {statistic: (R, ...)}}`, finite, each row from its own conditions."""
    for case in network_cases(config):
        network, conditions = case.make(), case.given((ROWS,))
        rows = 1 if conditions is None else ROWS
        with torch.inference_mode():
            found = dict(_statistics(network.estimate(conditions)))
            require(found, f"{case}: there are none")
            for name, value in found.items():
                require(isinstance(value, Tensor) and value.shape[:1] == (rows,), f"{case}: {name} has not {rows} rows")
                require(value.isfinite().all(), f"{case}: {name} is not finite")
            if conditions is None:
                continue
            alone, moved = (dict(_statistics(network.estimate(c))) for c in (conditions[1:2], conditions + 0.5))
            for name, value in found.items():
                require(close(alone[name], value[1:2]), f"{case}: {name} of a row depends on its neighbours")
                require(not close(moved[name], value), f"{case}: conditions do nothing to {name}")


def check_state(config: Any) -> None:
    """`state_dict` holds everything: loaded into another network of the config, it goes on with the same numbers."""
    for case in network_cases(config):
        network, other = case.make(), case.make(seed=2)
        _training_loss(case, network)
        state = network.state_dict()
        strange = [name for name, value in state.items() if not isinstance(value, Tensor)]
        require(not strange, f"{case}: not tensors, and so not saved: {', '.join(strange)}")
        other.load_state_dict(state)
        _require_alike(case, network, other, "the loaded network")


def check_copy(config: Any) -> None:
    """`copy.deepcopy` gives a network of its own with the same numbers."""
    for case in network_cases(config):
        network, untouched = case.make(), case.make()
        shaken(copy.deepcopy(network), seed=3)
        _require_alike(case, untouched, network, "the original, once its copy has changed,")
        _require_alike(case, network, copy.deepcopy(network), "the copy")


def check_modes(config: Any) -> None:
    """In evaluation mode, the network and what it is given stay as they are; `repr` works."""
    for case in network_cases(config):
        network, inputs = case.make(), case.pairs(6)
        state, given = copy.deepcopy((network.state_dict(), inputs))
        dict(_numbers(case, network))
        network.loss(*inputs, generator=generator_for(1))
        changed = [name for name, value in network.state_dict().items() if not torch.equal(value, state[name])]
        require(not changed, f"{case}: it changes {', '.join(changed)}")
        same = all(a is None or b is None or torch.equal(a, b) for a, b in zip(inputs, given, strict=True))
        require(same, f"{case}: the loss changes its inputs")
        require(not any(part.training for part in network.modules()), f"{case}: a part stays in training mode")
        require(repr(network), f"{case}: repr is empty")


@only(lambda config: config.compiles)
def check_compile(config: Any) -> None:
    """A fit compiles the `Backbone`s: the loss trains as before, or the class says `compiles: ClassVar[bool] = False`.

    Their capture and their backward pass are those of a fit, without the last stage, which writes machine code.
    """
    *_, case = network_cases(config)
    gradients = []
    for compiled in (False, True):
        network = case.make().train()
        parts = compiled_parts(network)
        if not parts:
            raise NotApplicable("it has no Backbone")
        try:
            for part in parts if compiled else ():
                part._compiled_call_impl = torch.compile(part._call_impl, backend="aot_eager")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                network.loss(*case.pairs(6), generator=generator_for(1)).mean().backward()
        except Exception as error:
            raise AssertionError(f"{case}: {type(error).__name__}: {str(error)[:300]}") from error
        finally:
            torch.compiler.reset()
        gradients.append([parameter.grad for parameter in network.parameters() if parameter.grad is not None])
    plain, captured = gradients
    alike = len(plain) == len(captured) and all(map(close, plain, captured))
    require(alike, f"{case}: the captured network has other gradients")


def _require_alike(case: NetworkCase, network: Any, other: Any, what: str) -> None:
    expected = dict(_numbers(case, network)) | {"loss when training": _training_loss(case, network)}
    found = dict(_numbers(case, other)) | {"loss when training": _training_loss(case, other)}
    for name, value in found.items():
        require(torch.equal(value, expected[name]), f"{case}: {what} gives another {name}")


def _training_loss(case: NetworkCase, network: Any) -> Tensor:
    """The loss as a step of a fit asks for it, which may change the network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        loss = network.train().loss(*case.pairs(6), generator=generator_for(1))
    network.eval()
    return loss


def _numbers(case: NetworkCase, network: Any) -> Iterator[tuple[str, Tensor]]:
    """Whatever the network can compute."""
    able = case.config.capabilities
    yield "loss", network.loss(*case.pairs(6), generator=generator_for(1))
    if "sample" in able:
        yield "draw", case.draw(network)
    if "log_prob" in able:
        targets = case.pairs(ROWS)[0][:, None]
        with torch.no_grad():
            yield "density", case.log_prob(network, targets, case.given((ROWS, 1)))
    if "estimate" in able:
        with torch.no_grad():
            yield from _statistics(network.estimate(case.given((ROWS,))))


def _statistics(estimates: Any) -> Iterator[tuple[str, Tensor]]:
    """`rule.statistic` and its value."""
    for rule, statistics in estimates.items():
        for name, value in statistics.items():
            yield f"{rule}.{name}", value


CHECKS = (
    check_facts,
    check_presets,
    check_estimate,
    check_state,
    check_copy,
    check_modes,
    check_compile,
)
