"""Any `nn.Module` as a component, and modules with other call signatures."""

from __future__ import annotations

import copy
import inspect
from typing import Any, ClassVar

import attrs

from .config import Config
from .errors import ConfigError, InvalidComponentError, NotBuiltError

__all__ = ["ModuleConfig", "wrap"]

_SIGNATURES = ("x", "xc", "xtc")


@attrs.frozen(eq=False, kw_only=True)
class ModuleConfig(Config):
    """A given module in the place of a config: copied at build, saved by its weights alone.

    Its JSON names its class; to load it again the module is given by hand.
    """

    name: ClassVar[str] = "@module"
    approximator: ClassVar[str] = "ContinuousApproximator"
    module: Any
    kind: str  # type: ignore[misc]
    call: str = "xtc"

    @classmethod
    def of(cls, module: Any, kind: str, call: str | None = None) -> ModuleConfig:
        """Describe a module; `call` says which of x, t and conditions its forward takes."""
        given = getattr(module, "_sbicore_call", None)
        return type.__call__(cls, module=module, kind=kind, call=call or given or "xtc")

    @property
    def capabilities(self) -> frozenset[str]:  # type: ignore[override]
        """Which of the optional methods of a network the module has; `masks` where its forward takes a mask."""
        if self.kind == "summary_network":
            takes = inspect.signature(self.module.forward).parameters
            return frozenset({"masks"} if "mask" in takes else ())
        return frozenset(name for name in ("sample", "log_prob") if hasattr(self.module, name))

    def sample_options(self, **options: Any) -> dict[str, Any]:
        """Options are the module's own business."""
        return options

    log_prob_options = sample_options

    @property
    def layout(self) -> str | None:
        """What the module says of itself, if anything."""
        return getattr(self.module, "layout", None)

    @property
    def inputs(self) -> Any:
        """As of `SummaryNetworkConfig`, for a module whose layout is `named`."""
        return self.module.inputs if self.layout == "named" else {}

    def of_kind(self, kind: str) -> ModuleConfig:
        """The same module in another place."""
        return ModuleConfig.of(self.module, kind, self.call)

    @property
    def uses_time(self) -> str:
        """A module is always offered the time; `call` says how."""
        return "optional"

    def build(self, shapes: Any) -> Any:
        """A deep copy of the module, adapted to the call signature of its kind."""
        from ._module_adapter import AdaptedModule, with_width

        module = copy.deepcopy(self.module)
        if self.kind == "summary_network":
            return with_width(module, shapes)
        if self.kind != "subnet":
            return module
        return AdaptedModule(module, self.call, shapes)

    def to_dict(self) -> dict[str, Any]:
        """`{"name": "@module", "class": "pkg:Class", "call": ...}`."""
        cls = type(self.module)
        return {"name": self.name, "class": f"{cls.__module__}:{cls.__qualname__}", "call": self.call}

    def replace(self, **changes: Any) -> ModuleConfig:
        """Not possible: a module has no hyperparameters here."""
        raise ConfigError(f"{type(self.module).__name__} is a module; its hyperparameters cannot be changed here")


def wrap(module: Any, call: str = "xtc") -> Any:
    """Use a module whose forward takes other arguments than `(x, t, conditions)`.

    Args:
        module: any `nn.Module`.
        call: `"x"` (one input: x, time and conditions concatenated), `"xc"` (x with time
            appended, conditions) or `"xtc"` (the subnet signature itself).

    Returns:
        A value that every component argument accepts.

    Raises:
        ConfigError: unknown `call`.
    """
    if call not in _SIGNATURES:
        raise ConfigError(f"call must be one of {', '.join(_SIGNATURES)}; got {call!r}")
    import torch

    if not isinstance(module, torch.nn.Module):
        raise InvalidComponentError(f"wrap takes an nn.Module, got {module!r}")
    return ModuleConfig.of(module, "subnet", call)


def missing_module(path: str, description: dict[str, Any]) -> NotBuiltError:
    """The error for an artifact whose hand-made module was not given to `load`."""
    return NotBuiltError(
        f"{path} was saved with a module of your own, {description.get('class')}.\n"
        f"Give it: sbicore.load(..., modules={{{path!r}: {description.get('class', 'M:M').rpartition(':')[2]}(...)}})"
    )
