"""The config of `fusion_network`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from sbicore.config import SummaryNetworkConfig, frozen
from sbicore.errors import ConfigError
from sbicore.fields import component, components
from sbicore.references import Reference

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .fusion_network_module import FusionNetworkModule

__all__ = ["FusionNetwork"]


@frozen(kw_only=True)
class FusionNetwork(SummaryNetworkConfig):
    """A summary network for each of several variables, their summaries side by side, and an optional head."""

    name: ClassVar[str] = "fusion_network"
    layout: ClassVar[str] = "named"
    capabilities: ClassVar[frozenset[str]] = frozenset({"masks"})
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Schmitt, Marvin and Odole, Leona and Radev, Stefan T. and Bürkner, Paul-Christian",
            title="Fuse It or Lose It: Deep Fusion for Multimodal Simulation-Based Inference",
            year=2023,
            arxiv="2311.10671",
        ),
    )

    backbones: Mapping[str, Any] = components(
        "summary_network", doc="For each variable by name, the network of it.", by="variable"
    )
    head: Any = component(
        "subnet", None, optional=True, doc="A subnet of all summaries together; None: they as they are."
    )

    def __attrs_post_init__(self) -> None:
        for name, backbone in self.backbones.items():
            if getattr(backbone, "layout", None) == self.layout:
                raise (
                    ConfigError(
                        f"{backbone.name!r} reads several variables, and a backbone one\nGive its backbones here."
                    )
                    .within(name)
                    .within("backbones")
                )
        if self.head is not None and (self.head.uses_time == "required" or self.head.layout == "image"):
            what = "a time" if self.head.uses_time == "required" else "images"
            raise ConfigError(f"{self.head.name!r} needs {what}; summaries are vectors\nGive: head='mlp'").within(
                "head"
            )

    @classmethod
    def examples(cls) -> tuple[FusionNetwork, ...]:
        """Two series."""
        return (cls(backbones={"long": "time_series_network", "short": "time_series_transformer"}),)

    @property
    def inputs(self) -> Mapping[str, Any]:  # type: ignore[override]
        """The backbones say how their variables are read."""
        return self.backbones

    def build(self, shapes: Shapes) -> FusionNetworkModule:
        """The module; its `out_features` is that of the head, of all backbones together, or `shapes.output`.

        Raises:
            ConfigError: variables without a backbone, or the other way round.
        """
        from .fusion_network_module import FusionNetworkModule

        return FusionNetworkModule(self, shapes)
