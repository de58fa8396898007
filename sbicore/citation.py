"""What to cite for the components in use, as BibTeX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._compat import core_version
from .config import Config, parts_of
from .references import Reference

__all__ = ["cite", "references_of"]


def cite(component: Any = None, **hyperparameters: Any) -> str:
    """BibTeX of a component and of every component inside it, each entry once, and of sbicore.

    Args:
        component: a name, mapping or config as `configure` takes it, or an approximator; None
            gives the entry of sbicore alone.
        **hyperparameters: fields of the config, such as `subnet="mlp"`.

    Raises:
        UnknownComponentError, ConfigError: as `configure`.
    """
    configs = [] if component is None else _configs(component, hyperparameters)
    found = {reference.bibtex(): None for config in configs for reference in references_of(config)}
    return "\n\n".join([*found, _sbicore()])


def references_of(config: Any) -> Iterator[Reference]:
    """The references of a config and of everything inside it, outermost first."""
    for part in parts_of(config):
        yield from part.references


def _configs(component: Any, hyperparameters: dict[str, Any]) -> list[Any]:
    parts = [getattr(component, name, None) for name in ("config", "summary_config")]
    if isinstance(parts[0], Config):
        return [part for part in parts if part is not None]
    from .registry import configure

    return [configure(component, **hyperparameters)]


def _sbicore() -> str:
    return (
        "@software{sbicore,\n  title = {{sbicore: simulation-based inference in PyTorch}},\n"
        f"  author = {{{{The sbicore developers}}}},\n  version = {{{core_version()}}},\n}}"
    )
