"""Tsitouras' 5(4) pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from ..config import frozen
from ..errors import ConfigError
from ..fields import choice
from ..references import Reference
from ._config import AdaptiveConfig

if TYPE_CHECKING:
    from ._tableau import Tableau

__all__ = ["Tsit5"]

NODES = (0.161, 0.327, 0.9, 0.9800255409045097, 1.0, 1.0)
STAGES = (
    (0.161,),
    (-0.008480655492357, 0.335480655492357),
    (2.897153057105494, -6.359448489975075, 4.362295432869581),
    (5.325864828439257, -11.74888356406283, 7.495539342889836, -0.09249506636175525),
    (5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.02826905039406838),
    (
        0.09646076681806523,
        0.01,
        0.4798896504144996,
        1.379008574103742,
        -3.290069515436081,
        2.324710524099774,
    ),
)
ERROR = (
    -0.00178001105222577714,
    -0.0008164344596567469,
    0.007880878010261995,
    -0.1447110071732629,
    0.5823571654525552,
    -0.45808210592918697,
    1 / 66,
)


@frozen(kw_only=True)
class Tsit5(AdaptiveConfig):
    """Order 5, adaptive, six evaluations a step, with smaller error terms than dopri5."""

    name: ClassVar[str] = "tsit5"
    order: ClassVar[int] = 5
    references: ClassVar[tuple[Reference, ...]] = (
        Reference(
            authors="Tsitouras, Charalampos",
            title="Runge-Kutta pairs of order 5(4) satisfying only the first column simplifying assumption",
            year=2011,
            venue="Computers & Mathematics with Applications",
            doi="10.1016/j.camwa.2011.06.002",
        ),
    )

    control: str = choice(
        "observation", options=("observation",), doc="Whose error sets the step: each observation its own."
    )

    @classmethod
    def from_kwargs(cls, **kwargs: Any) -> Tsit5:
        """As every config; `control="batch"` raises ConfigError, as torchdiffeq lacks this method."""
        if kwargs.get("control") == "batch":
            raise ConfigError(
                "'tsit5' has no joint control: torchdiffeq, which does that, lacks this method.\n"
                'Drop control=, or use dopri5 with control="batch".'
            ).within("control")
        return super().from_kwargs(**kwargs)

    def tableau(self) -> Tableau:
        """The coefficients above."""
        from ._tableau import Tableau

        return Tableau(self.order, NODES, STAGES, ERROR)
