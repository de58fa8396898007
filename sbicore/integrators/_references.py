"""References that several methods share."""

from __future__ import annotations

from ..references import Reference

__all__ = ["EDM", "FOSTER"]

FOSTER = Reference(
    authors="Foster, James and dos Reis, Gonçalo and Strange, Calum",
    title="High order splitting methods for SDEs satisfying a commutativity condition",
    year=2024,
    venue="SIAM Journal on Numerical Analysis",
    arxiv="2210.17543",
)
EDM = Reference(
    authors="Karras, Tero and Aittala, Miika and Aila, Timo and Laine, Samuli",
    title="Elucidating the Design Space of Diffusion-Based Generative Models",
    year=2022,
    venue="Advances in Neural Information Processing Systems",
    arxiv="2206.00364",
)
