"""What a summary network takes of the variables that it reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._messages import did_you_mean, listing
from ..errors import ConfigError, ShapeError
from ._roles import ROLES, Roles

__all__ = ["Reading"]

SUMMARY = ROLES[2]
_AXES = {"set": ("N", "F"), "series": ("N", "F"), "image": ("H", "W", "C")}


class Reading:
    """Facts of a summary network, asked for `summary_variables` or a part of them.

    Args:
        config: of the summary network; None without one.
    """

    def __init__(self, config: Any) -> None:
        self.config = config
        self.apart = getattr(config, "layout", None) == "named"
        self.inputs: Mapping[str, Any] = config.inputs if self.apart else {}

    @property
    def varying(self) -> bool:
        """Whether any variable may have another number of entries than the first data."""
        return any(map(_takes_any_length, self._readers()))

    def masks(self, part: str) -> bool:
        """Whether it leaves out what a mask of this part says."""
        return "masks" in self._reader(part).capabilities

    def takes_any_length(self, part: str) -> bool:
        """Whether rows of this part may be longer or shorter than those it was trained on."""
        return self.config is not None and _takes_any_length(self._reader(part))

    def require_masks(self, part: str) -> None:
        """Raise ConfigError where it cannot leave out what a mask says."""
        if not self.masks(part):
            from ..registry import plugins

            name = self._name(part)
            able = ", ".join(row["name"] for row in plugins("summary_network", capability="masks"))
            raise ConfigError(
                f"{name!r} cannot leave entries out\nSummary networks with masks: {able or 'none installed'}"
            )

    def require_axes(self, part: str, variable: str, event: tuple[int, ...]) -> None:
        """Raise ShapeError where rows of a variable have not the axes that its layout is made of."""
        layout = getattr(self._reader(part), "layout", None) or ""
        axes = _AXES.get(layout)
        if axes is None or len(event) == len(axes):
            return
        one = "channel" if layout == "image" else "feature"
        raise ShapeError(
            f"{self._name(part)!r} takes {layout.removesuffix('s')}s ({', '.join(axes)}); "
            f"each row of {variable!r} has the shape {event}."
            + (f"\nAn axis for a single {one}: {variable}[..., None]" if len(event) == len(axes) - 1 else ""),
            variable=variable,
            expected=axes,
            got=event,
        )

    def variables(self, given: Any) -> Any:
        """The names of `summary_variables`; a network that reads variables by name knows them.

        Raises:
            ConfigError: it reads others.
        """
        if not self.apart:
            return given
        if given is None:
            return tuple(self.inputs)
        names = Roles(summary_variables=given).of(SUMMARY)
        for name in names:
            if name not in self.inputs:
                raise ConfigError(
                    f"summary_variables name {name!r}, which {self.config.name!r} does not read"
                    f"{did_you_mean(name, self.inputs)}\nIt reads: {listing(self.inputs)}"
                )
        for name in self.inputs:
            if name not in names:
                raise ConfigError(
                    f"{self.config.name!r} reads {name!r}, which summary_variables do not name"
                    f"{did_you_mean(name, names)}\nGive: summary_variables={list(self.inputs)}"
                )
        return names

    def _reader(self, part: str) -> Any:
        return self.inputs[_variable(part)] if self.apart else self.config

    def _name(self, part: str) -> str:
        """What errors call the network that reads this part."""
        return getattr(self._reader(part), "name", None) or _variable(part)

    def _readers(self) -> list[Any]:
        if self.config is None:
            return []
        return list(self.inputs.values()) if self.apart else [self.config]


def _variable(part: str) -> str:
    return part.partition(":")[2]


def _takes_any_length(reader: Any) -> bool:
    return "masks" in reader.capabilities or getattr(reader, "layout", None) in ("set", "series")
