"""What is asked of the loss of inference networks."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ..randomness import generator_for
from ._check import NotApplicable, only, require
from ._network_cases import close, network_cases

__all__ = ["CHECKS"]

MAKERS = {
    *(torch.arange, torch.empty, torch.eye, torch.full, torch.linspace, torch.ones, torch.zeros),
    *(torch.rand, torch.randint, torch.randn, torch.randperm, torch.tensor),
}


def check_loss(config: Any) -> None:
    """`loss` gives one finite, differentiable number a sample, `(B,)`: also for a batch of one, and when training."""
    for case in network_cases(config):
        for count in (6, 1):
            for training in (True, False):
                network = case.make().train(training)
                loss = network.loss(*case.pairs(count), generator=generator_for(1))
                require(isinstance(loss, Tensor), f"{case}: got {type(loss).__name__}")
                require(loss.shape == (count,), f"{case}: expected shape {(count,)}, got {tuple(loss.shape)}")
                where = f"{case}, {'training, ' * training}batch of {count}"
                require(loss.isfinite().all(), f"{where}: not finite: {loss.tolist()}")
                require(loss.requires_grad, f"{where}: it has no gradient")


def check_loss_gradients(config: Any) -> None:
    """A gradient of the loss reaches every parameter of the network and of its subnet: use each, or drop it."""
    for case in network_cases(config, 2):
        network = case.make().train()
        network.loss(*case.pairs(64), generator=generator_for(1)).mean().backward()
        trained = {name: p for name, p in network.named_parameters() if p.requires_grad and p.numel()}
        require(trained, f"{case}: there are no parameters")
        idle = [name for name, p in trained.items() if p.grad is None or not p.grad.any()]
        require(not idle, f"{case}: none reaches {', '.join(idle)}")
        wild = [name for name, p in trained.items() if not p.grad.isfinite().all()]
        require(not wild, f"{case}: not finite at {', '.join(wild)}")


def check_loss_inputs(config: Any) -> None:
    """The loss depends on the targets and on the conditions."""
    for case in network_cases(config):
        network = case.make()
        targets, conditions = case.pairs(16)
        loss = network.loss(targets, conditions, generator=generator_for(1))
        moved = {"targets": (targets + 0.5, conditions)}
        if conditions is not None:
            moved["conditions"] = (targets, conditions + 0.5)
        for name, inputs in moved.items():
            other = network.loss(*inputs, generator=generator_for(1))
            require(not torch.equal(other, loss), f"{case}: {name} have no effect")


@only(lambda config: not config.couples_rows)
def check_loss_rows(config: Any) -> None:
    """The loss of a row does not depend on the rows beside it, or `couples_rows` names the hyperparameter that does it.

    Rows that do can have no weights.
    """
    for case in network_cases(config):
        network = case.make()
        targets, conditions = case.pairs(16)
        loss = network.loss(targets, conditions, generator=generator_for(1))
        beside = targets.clone()
        beside[8:] += 0.5
        other = network.loss(beside, conditions, generator=generator_for(1))
        require(close(other[:8], loss[:8]), f"{case}: other targets beside a row change its loss")


def check_loss_randomness(config: Any) -> None:
    """All randomness of the loss comes from `generator`, or without one from torch's default generator."""
    for case in network_cases(config):
        network = case.make()
        targets, conditions = case.pairs(1)
        given = targets.expand(64, -1), None if conditions is None else conditions.expand(64, -1)

        def loss(seed: int, *, default: bool = False, network: Any = network, given: Any = given) -> Tensor:
            if not default:
                return network.loss(*given, generator=generator_for(seed))
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                return network.loss(*given, generator=None)

        state = torch.get_rng_state()
        first = loss(1)
        require(torch.equal(torch.get_rng_state(), state), f"{case}: torch's default generator is touched")
        require(torch.equal(loss(1), first), f"{case}: the same generator gives another loss")
        require(torch.equal(loss(1, default=True), loss(1, default=True)), f"{case}: torch.manual_seed does not fix it")
        if not close(first, first[:1].expand(64)):
            require(not close(loss(2), first), f"{case}: another generator gives the same noise")
            fixed = close(loss(1, default=True), loss(2, default=True))
            require(not fixed, f"{case}: without a generator the noise is always the same")


def check_loss_precision(config: Any) -> None:
    """The loss is computed in the precision of the weights, float32 or float64."""
    for case in network_cases(config):
        for dtype in (torch.float64, torch.float32):
            loss = case.make().to(dtype).loss(*case.pairs(6, dtype), generator=generator_for(1))
            require(loss.dtype == dtype, f"{case}: weights in {dtype} give {loss.dtype}")
            loss.mean().backward()


def check_loss_device(config: Any) -> None:
    """The loss is computed where the weights are: make tensors with `device=targets.device`."""
    for case in network_cases(config):
        network, inputs = case.make(), case.pairs(6)
        try:
            with _Elsewhere():
                network.loss(*inputs, generator=generator_for(1)).mean().backward()
        except (RuntimeError, NotImplementedError) as error:
            raise AssertionError(f"{case}: a tensor is made without a device, or its value is read: {error}") from error


def check_accelerator(config: Any) -> None:
    """On an accelerator loss and draws stay there, whether generators live there or on the CPU."""
    devices = ["cuda"] if torch.cuda.is_available() else ["mps"] if torch.backends.mps.is_available() else []
    if not devices:
        raise NotApplicable("there is no accelerator")
    for case in network_cases(config):
        network = case.make().to(devices[0])
        inputs = [None if value is None else value.to(devices[0]) for value in case.pairs(6)]
        found = {"loss": network.loss(*inputs, generator=generator_for(1, device=devices[0]))}
        if "sample" in config.capabilities:
            given = None if inputs[1] is None else inputs[1][:, None]
            generators = [generator_for(row) for row in range(6)]
            found["sample"] = network.sample((6, 5), given, generator=generators)
        for name, value in found.items():
            require(value.device.type == devices[0], f"{case}: {name} on {devices[0]} gives {value.device}")


class _Elsewhere(TorchFunctionMode):
    """Tensors made without a device land on another one than the inputs; numbers may, as they go with every device."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        made = function(*args, **kwargs)
        astray = function in MAKERS and kwargs.get("device") is None and made.ndim > 0
        return made.to("meta") if astray else made


CHECKS = (
    check_loss,
    check_loss_gradients,
    check_loss_inputs,
    check_loss_rows,
    check_loss_randomness,
    check_loss_precision,
    check_loss_device,
    check_accelerator,
)
