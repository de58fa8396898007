"""The configs of `uvit` and `residual_uvit`."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sbicore.config import frozen
from sbicore.fields import integer
from sbicore.references import Reference

from .base_config import TransformerConfig

if TYPE_CHECKING:
    from sbicore.shapes import Shapes

    from .residual import ResidualUViTModule
    from .uvit import UViTModule

__all__ = ["ResidualUViT", "UViT"]


@frozen(kw_only=True)
class UViT(TransformerConfig):
    """Residual convolutions around a transformer at the lowest resolution, with a link across from each block."""

    name: ClassVar[str] = "uvit"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Hoogeboom, Emiel and Heek, Jonathan and Salimans, Tim",
            title="Simple diffusion: End-to-end diffusion for high resolution images",
            year=2023,
            venue="International Conference on Machine Learning",
            arxiv="2301.11093",
        ),
    )

    res_blocks: int = integer(2, ge=1, doc="Residual blocks of each stage, on the way down and on the way up.")

    def build(self, shapes: Shapes) -> UViTModule:
        """The module; its `out_features` is twice the first width unless `shapes.output` is given."""
        from .uvit import UViTModule

        return UViTModule(self, shapes)


@frozen(kw_only=True)
class ResidualUViT(TransformerConfig):
    """Residual convolutions around a transformer, where each resolution changes what the one above it knows."""

    name: ClassVar[str] = "residual_uvit"
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Hoogeboom, Emiel and Mensink, Thomas and Heek, Jonathan and Lamerigts, Kay and Gao, Ruiqi and "
            "Salimans, Tim",
            title="Simpler Diffusion (SiD2): 1.5 FID on ImageNet512 with pixel-space diffusion",
            year=2024,
            venue="arXiv",
            arxiv="2410.19324",
        ),
    )

    res_blocks_down: int = integer(2, ge=1, doc="Residual blocks of each stage on the way down.")
    res_blocks_up: int | None = integer(
        3, ge=1, optional=True, doc="Residual blocks of each stage on the way up; None for as many as down."
    )

    def build(self, shapes: Shapes) -> ResidualUViTModule:
        """The module; its `out_features` is twice the first width unless `shapes.output` is given."""
        from .residual import ResidualUViTModule

        return ResidualUViTModule(self, shapes)
