"""Configs: torch-free, frozen descriptions of components. The config is the lazy factory.

A plugin author subclasses the base of a kind, declares fields, and imports torch inside `build` only:

    @frozen(kw_only=True)
    class MLP(SubnetConfig):
        name: ClassVar[str] = "mlp"
        widths: tuple[int, ...] = sizes((256, 256), doc="Widths of the hidden layers.")

        def build(self, shapes: Shapes) -> Subnet:
            from .module import MLPModule
            return MLPModule(self, shapes)
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import attrs
from attrs import frozen

from ._messages import close_match, did_you_mean, listing
from .errors import ConfigError, InvalidComponentError, NotBuiltError, UnknownHyperparameterError
from .fields import FrozenMapping

if TYPE_CHECKING:
    from .presets import Preset
    from .protocols import (
        AnyIntegrator,
        Distribution,
        InferenceNetwork,
        NoiseSchedule,
        ScoringRule,
        Simulator,
        Subnet,
        SummaryNetwork,
    )
    from .references import Reference
    from .shapes import Shapes

__all__ = [
    "Config",
    "DistributionConfig",
    "Hyperparameters",
    "InferenceNetworkConfig",
    "IntegratorConfig",
    "NoiseScheduleConfig",
    "Options",
    "ScoringRuleConfig",
    "SimulatorConfig",
    "SubnetConfig",
    "SummaryNetworkConfig",
    "frozen",
    "parts_of",
]

T = TypeVar("T", bound="Hyperparameters")


class _Checked(type):
    """Calling the class checks names and folds `*_kwargs` before attrs sees the arguments."""

    def __call__(cls: type[T], *args: Any, **kwargs: Any) -> T:  # type: ignore[misc]
        if args:
            positional = cls.positional
            if positional is None or len(args) > 1 or positional in kwargs:
                hint = f"one positional argument, {positional}" if positional else "keyword arguments only"
                raise ConfigError(f"{cls.__name__} takes {hint}; got {args!r}")
            kwargs[positional] = args[0]
        return cls.from_kwargs(**kwargs)


@frozen(kw_only=True)
class Hyperparameters(metaclass=_Checked):
    """A frozen set of documented, validated values; equal by value, hashable, JSON-like."""

    positional: ClassVar[str | None] = None

    @classmethod
    def __attrs_init_subclass__(cls) -> None:
        signature = inspect.signature(cls.__init__)
        parameters = list(signature.parameters.values())[1:]
        cls.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]

    @classmethod
    def from_kwargs(cls: type[T], **kwargs: Any) -> T:
        """Make one from keyword arguments; may be overridden for open keywords.

        Raises:
            UnknownHyperparameterError: a name that no field has, with a close match.
            ConfigError: a missing or impossible value, with its path.
        """
        fields = {field.alias or field.name: field for field in attrs.fields(cls)}
        kwargs = _fold(fields, kwargs)
        for name in kwargs:
            if name not in fields:
                raise UnknownHyperparameterError(
                    f"{cls._title()} has no {cls._noun()} {name!r}{did_you_mean(name, fields)}\n"
                    + (f"It has: {listing(fields)}" if fields else f"It has none; take {name}= out."),
                    name=name,
                    near=close_match(name, fields),
                )
        missing = [n for n, f in fields.items() if f.default is attrs.NOTHING and n not in kwargs]
        if missing:
            raise ConfigError(f"{cls._title()} needs {listing(missing)}\nGive: {missing[0]}=...")
        return type.__call__(cls, **kwargs)

    def replace(self: T, **changes: Any) -> T:
        """A copy with some values changed, checked like new ones."""
        return type(self).from_kwargs(**{**self._values(), **changes})

    def to_dict(self) -> dict[str, Any]:
        """Plain values only: what is saved, and what `from_kwargs` accepts."""
        return {name: _plain(value) for name, value in self._values().items()}

    def _values(self) -> dict[str, Any]:
        return {f.alias or f.name: getattr(self, f.name) for f in attrs.fields(type(self))}

    @classmethod
    def _title(cls) -> str:
        return cls.__name__

    @classmethod
    def _noun(cls) -> str:
        return "option"


@frozen(kw_only=True)
class Options(Hyperparameters):
    """Base of option groups, such as those of a network's `sample` and `log_prob`."""


@frozen(kw_only=True)
class Config(Hyperparameters):
    """Base of all component configs.

    Class facts: `kind`, `name`, `capabilities` (beyond the contract of its kind), `references` (what to cite).
    """

    kind: ClassVar[str]
    name: ClassVar[str]
    capabilities: ClassVar[frozenset[str]] = frozenset()
    references: ClassVar[tuple[Reference, ...]] = ()

    @classmethod
    def examples(cls) -> tuple[Config, ...]:
        """Configs that the conformance checks use; override where fields are required."""
        return (cls(),)

    def to_dict(self) -> dict[str, Any]:
        """The saved form: `{"name": ..., **hyperparameters}`."""
        return {"name": self.name, **super().to_dict()}

    @classmethod
    def _title(cls) -> str:
        return repr(getattr(cls, "name", cls.__name__))

    @classmethod
    def _noun(cls) -> str:
        return "hyperparameter"


@frozen(kw_only=True)
class SubnetConfig(Config):
    """Describes a subnet. Class facts: `uses_time` is `required`, `optional` or `no`; `layout` is `vector` or `image`;
    `compiles` is False where torch.compile cannot capture the module; of images, `spatial_axes`, the numbers of axes
    of pixels that it takes, and `takes_vectors`, whether conditions may be vectors `(*, D)`, too.
    """

    kind: ClassVar[str] = "subnet"
    uses_time: ClassVar[str] = "no"
    layout: ClassVar[str] = "vector"
    spatial_axes: ClassVar[tuple[int, ...]] = (2,)
    takes_vectors: ClassVar[bool] = False
    compiles: ClassVar[bool] = True

    def build(self, shapes: Shapes) -> Subnet:
        """Make the module. See `sbicore.protocols.Subnet`."""
        raise _abstract(self)


@frozen(kw_only=True)
class SummaryNetworkConfig(Config):
    """Describes a summary network.

    Class facts: `layout` is `set` or `series`, `(*, N, F)`, `image`, `(*, H, W, C)`, or `named`, several, read as
    `inputs` says of each; `capabilities` may hold `masks` and `permutation_invariant`; `compiles` as for a subnet.
    """

    kind: ClassVar[str] = "summary_network"
    layout: ClassVar[str] = "set"
    inputs: ClassVar[Mapping[str, Any]] = {}
    compiles: ClassVar[bool] = True

    def build(self, shapes: Shapes) -> SummaryNetwork:
        """Make the module. See `sbicore.protocols.SummaryNetwork`."""
        raise _abstract(self)


@frozen(kw_only=True)
class InferenceNetworkConfig(Config):
    """Describes an inference network.

    `capabilities` may hold `sample`, `log_prob`, `compositional_sample`, each with an Options class of its name, and
    `estimate`; `approximator` names what `sbicore.build` makes; `presets` are those of `sbicore.presets`; `compiles` is
    False where a fit must not compile the backbones; `couples_rows` names why losses of rows hang together.
    """

    kind: ClassVar[str] = "inference_network"
    approximator: ClassVar[str] = "ContinuousApproximator"
    sample_options: ClassVar[type[Options]] = Options
    log_prob_options: ClassVar[type[Options]] = Options
    compositional_sample_options: ClassVar[type[Options]] = Options
    presets: ClassVar[Mapping[str, Preset]] = {}
    compiles: ClassVar[bool] = True

    @property
    def couples_rows(self) -> str:
        """By default none."""
        return ""

    def build(self, shapes: Shapes) -> InferenceNetwork:
        """Make the module. See `sbicore.protocols.InferenceNetwork`."""
        raise _abstract(self)

    def __getattr__(self, name: str) -> Any:
        if name in {"sample", "log_prob", "compositional_sample", "estimate", "fit", "loss"}:
            raise NotBuiltError(
                f"{type(self).__name__}(...) describes a network and has no {name!r} of its own.\n"
                f"Build an approximator from it: sbicore.build({self.name!r}).fit(data=...)"
            )
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@functools.lru_cache(maxsize=256)
def _built(config: Any) -> Any:
    return config.build()


@frozen(kw_only=True)
class NoiseScheduleConfig(Config):
    """Describes a noise schedule."""

    kind: ClassVar[str] = "noise_schedule"

    def build(self) -> NoiseSchedule:
        """Make the schedule. See `sbicore.protocols.NoiseSchedule`."""
        raise _abstract(self)


@frozen(kw_only=True)
class IntegratorConfig(Config):
    """Describes an integrator.

    Class facts: `order` (if stochastic the strong one for additive noise), `adaptive`, `stochastic`, `denoises`.
    """

    kind: ClassVar[str] = "integrator"
    order: ClassVar[float]
    adaptive: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    denoises: ClassVar[bool] = False

    def build(self) -> AnyIntegrator:
        """Make the integrator. See `sbicore.protocols.Integrator`."""
        raise _abstract(self)

    def integrate(self, *args: Any, **kwargs: Any) -> Any:
        """Integrate with the built integrator."""
        return _built(self).integrate(*args, **kwargs)


@frozen(kw_only=True)
class ScoringRuleConfig(Config):
    """Describes a scoring rule.

    Class facts: `targets` are `real`, or `one_hot` where they say which of several models; `capabilities`
    of a parametric rule hold `sample` and `log_prob`, and `log_score` where the score is minus that.
    """

    kind: ClassVar[str] = "scoring_rule"
    targets: ClassVar[str] = "real"

    def build(self) -> ScoringRule:
        """Make the rule. See `sbicore.protocols.ScoringRule`."""
        raise _abstract(self)

    def score(self, *args: Any, **kwargs: Any) -> Any:
        """Score with the built rule."""
        return _built(self).score(*args, **kwargs)


@frozen(kw_only=True)
class DistributionConfig(Config):
    """Describes a base distribution."""

    kind: ClassVar[str] = "distribution"

    def build(self, shapes: Shapes | None = None) -> Distribution:
        """Make the distribution. See `sbicore.protocols.Distribution`."""
        raise _abstract(self)

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        """Draw from the built distribution."""
        return _built(self).sample(*args, **kwargs)

    def log_prob(self, *args: Any, **kwargs: Any) -> Any:
        """Log density of the built distribution."""
        return _built(self).log_prob(*args, **kwargs)


@frozen(kw_only=True)
class SimulatorConfig(Config):
    """Describes a benchmark simulator."""

    kind: ClassVar[str] = "simulator"

    def build(self) -> Simulator:
        """Make the simulator. See `sbicore.protocols.Simulator`."""
        raise _abstract(self)

    def sample(self, *args: Any, **kwargs: Any) -> Any:
        """Draw from the built simulator."""
        return _built(self).sample(*args, **kwargs)


def parts_of(value: Any) -> Iterator[Config]:
    """The configs in a value, outermost first: itself, if it is one, and the components inside it."""
    if isinstance(value, Config):
        yield value
    if isinstance(value, Hyperparameters):
        value = tuple(getattr(value, field.name) for field in attrs.fields(type(value)))
    elif isinstance(value, FrozenMapping):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for item in value:
            yield from parts_of(item)


def _abstract(config: Config) -> InvalidComponentError:
    return InvalidComponentError(
        f"{type(config).__name__} does not say how it is built.\nDefine build() in {type(config).__module__}."
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Hyperparameters):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, FrozenMapping):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _fold(fields: Mapping[str, Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Move `<component>_kwargs` into the component it belongs to."""
    folded = dict(kwargs)
    for key in kwargs:
        owner = fields.get(key.removesuffix("_kwargs")) if key.endswith("_kwargs") else None
        if owner is None or key in fields or owner.metadata.get("type") != "component":
            continue
        if (extra := folded.pop(key)) is None:
            continue
        if not isinstance(extra, Mapping):
            raise ConfigError(f"expected a mapping, got {extra!r}").within(key)
        name = owner.alias or owner.name
        given = folded.get(name, owner.default)
        if name not in folded and isinstance(given, Mapping):
            given = {key: value for key, value in given.items() if key not in extra}
        if given is not attrs.NOTHING:
            folded[name] = _with_kwargs(given, extra, name)
    return folded


def _with_kwargs(value: Any, extra: Mapping[str, Any], name: str) -> Any:
    if isinstance(value, str):
        value = {"name": value}
    if isinstance(value, Mapping):
        twice = sorted(set(value) & set(extra))
        if twice:
            error = ConfigError(f"{listing(twice)} given twice, in {name} and in {name}_kwargs\nGive it once.")
            raise error.within(name)
        return {**value, **extra}
    if isinstance(value, type) and issubclass(value, Config):
        make: Any = value
    elif isinstance(value, Config) and not value.name.startswith("@"):
        make = value.replace
    else:
        raise ConfigError(
            f"{name}_kwargs cannot change {type(value).__name__}\n"
            f"Give a name or a config as {name}, or drop {name}_kwargs."
        )
    try:
        return make(**extra)
    except ConfigError as error:
        raise error.within(name) from None
