"""What holds for every module that maps tensors to tensors: subnets and summary networks."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from ..training.compilation import compiles
from ._cases import cases, shaken
from ._check import decisive, only, require

LEADS = ((), (7,), (3, 7))


@decisive
def check_shape(config: Any) -> None:
    """A module keeps leading axes, none, one or two, and gives `out_features` finite numbers on the last axis."""
    for output in (None, 5):
        for case in cases(config, output):
            module = case.make()
            require(output in (None, module.out_features), f"{case}: out_features is {module.out_features}")
            for lead in LEADS:
                got = case.call(module, case.inputs(lead))
                expected = case.output(lead, module)
                require(got.shape == expected, f"{case}: expected shape {expected}, got {tuple(got.shape)}")
                require(got.isfinite().all(), f"{case}: not finite for leading axes {lead}")


def check_dtype(config: Any) -> None:
    """A module works in float32 and in float64, and gives what it is given."""
    for case in cases(config):
        module = case.make()
        for dtype in (torch.float64, torch.float32):
            got = case.call(module.to(dtype), case.inputs((7,), dtype))
            require(got.dtype == dtype, f"{case}: {dtype} gives {got.dtype}")


def check_device(config: Any) -> None:
    """A module follows its inputs to their device: make tensors with `device=x.device`, and never call `item()`."""
    accelerators = ["cuda"] if torch.cuda.is_available() else ["mps"] if torch.backends.mps.is_available() else []
    for case in cases(config):
        for device in ("meta", *accelerators):
            try:
                inputs = {name: value.to(device) for name, value in case.inputs((7,)).items()}
                got = case.call(case.make().to(device), inputs)
            except (RuntimeError, NotImplementedError) as error:
                raise AssertionError(f"{case}: on the device {device}: {error}") from error
            require(got.device.type == device, f"{case}: inputs on {device} give {got.device}")


def check_gradients(config: Any) -> None:
    """A gradient reaches every parameter and the input: use each in `forward`, or drop it."""
    for case in cases(config):
        module, inputs = case.make(), case.inputs((64,))
        read = inputs if case.shapes.inputs else {"x": inputs["x"]}
        for value in read.values():
            value.requires_grad_()
        case.call(module, inputs).square().sum().backward()
        found = {name: _arrives(p) for name, p in module.named_parameters() if p.requires_grad}
        require(found, f"{case}: there are no parameters")
        require(all(found.values()), f"{case}: none reaches {', '.join(n for n, ok in found.items() if not ok)}")
        missed = [name for name, value in read.items() if not _arrives(value)]
        require(not missed, f"{case}: none reaches {', '.join(missed)}")


def check_inputs(config: Any) -> None:
    """The output depends on x, on the time and on the conditions."""
    for case in cases(config):
        module, given = case.make(), case.inputs((7,))
        for name, value in given.items():
            changed = case.call(module, {**given, name: value + 0.5})
            require(not torch.equal(changed, case.call(module, given)), f"{case}: {name} has no effect")


def check_inputs_kept(config: Any) -> None:
    """The inputs are left as they are: no operation in place, such as `x.mul_(2)` or `x += 1`."""
    for case in cases(config):
        module, given, before = case.make(), case.inputs((7,)), case.inputs((7,))
        case.call(module, given)
        changed = [name for name, value in given.items() if not torch.equal(value, before[name])]
        require(not changed, f"{case}: {', '.join(changed)} changed")


def check_rows(config: Any) -> None:
    """A row of the output depends on the same row of the inputs alone."""
    for case in cases(config):
        module, given = case.make(), case.inputs((7,))
        alone = case.call(module, {name: value[2:3] for name, value in given.items()})
        require(
            _close(alone, case.call(module, given)[2:3]), f"{case}: a row alone gives other numbers than among others"
        )


def check_state(config: Any) -> None:
    """`state_dict` holds everything: loaded into another module of the config, it gives the same numbers."""
    for case in cases(config):
        module, other = case.make(), shaken(config.build(case.shapes), seed=3)
        state = module.state_dict()
        strange = [name for name, value in state.items() if not isinstance(value, Tensor)]
        require(not strange, f"{case}: not tensors, and so not saved: {', '.join(strange)}")
        other.load_state_dict(state)
        given = case.inputs((7,))
        require(
            torch.equal(case.call(other, given), case.call(module, given)),
            f"{case}: the loaded module gives other numbers",
        )


def check_copy(config: Any) -> None:
    """`copy.deepcopy` gives a module of its own with the same numbers."""
    for case in cases(config):
        module, given = case.make(), case.inputs((7,))
        before = case.call(module, given)
        twin = copy.deepcopy(module)
        require(torch.equal(case.call(twin, given), before), f"{case}: the copy gives other numbers")
        shaken(twin, seed=3)
        require(torch.equal(case.call(module, given), before), f"{case}: the copy shares parameters with its original")


def check_modes(config: Any) -> None:
    """In evaluation mode the same inputs give the same numbers; training mode keeps the shape; `repr` works."""
    for case in cases(config):
        module, given = case.make(), case.inputs((7,))
        first = case.call(module, given)
        require(torch.equal(case.call(module, given), first), f"{case}: a second call gives other numbers")
        require(case.call(module.train(), given).shape == first.shape, f"{case}: training mode changes the shape")
        require(not any(part.training for part in module.eval().modules()), f"{case}: a part stays in training mode")
        require(repr(module), f"{case}: repr is empty")


@only(compiles)
def check_compile(config: Any) -> None:
    """torch.compile captures the module in one graph; a class that cannot says `compiles: ClassVar[bool] = False`."""
    *_, case = cases(config)
    module, given = case.make(), case.inputs((7,))
    try:
        got = case.call(torch.compile(module, backend="eager", fullgraph=True, dynamic=False), given)
    except Exception as error:
        raise AssertionError(f"{case}: {type(error).__name__}: {str(error)[:300]}") from error
    finally:
        torch.compiler.reset()
    require(_close(got, case.call(module, given)), f"{case}: the captured module gives other numbers")


def _arrives(tensor: Tensor) -> bool:
    return tensor.grad is not None and bool(tensor.grad.any())


def _close(one: Tensor, other: Tensor) -> bool:
    return torch.allclose(one, other, rtol=1e-5, atol=1e-5)


CHECKS = (
    check_shape,
    check_dtype,
    check_device,
    check_gradients,
    check_inputs,
    check_inputs_kept,
    check_rows,
    check_state,
    check_copy,
    check_modes,
    check_compile,
)
