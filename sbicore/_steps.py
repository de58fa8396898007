"""One function of a simulator: its arguments by name, its seed, and a check of what it returns."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ._messages import did_you_mean, listing
from ._seeding import seed_global_state
from .errors import SimulatorError

__all__ = ["Step", "as_numbers"]


@dataclass(frozen=True)
class Step:
    """A function and what its signature says: parameters, and which of them have no default."""

    function: Callable[..., Any]
    name: str
    vectorized: bool
    parameters: frozenset[str]
    required: frozenset[str]
    takes_all: bool

    @classmethod
    def of(cls, function: Callable[..., Any], *, vectorized: bool) -> Step:
        """Read the signature.

        Raises:
            SimulatorError: not callable by argument names, or vectorized and blind to how many rows.
        """
        name = getattr(function, "__name__", type(function).__name__)
        try:
            parameters = inspect.signature(function).parameters.values()
        except (TypeError, ValueError) as error:
            raise SimulatorError(
                f"{function!r} cannot be run: it is no function with argument names\n"
                "Give a function, an object with .sample(n, seed=), or a list of those."
            ) from error
        if any(p.kind is p.POSITIONAL_ONLY for p in parameters):
            raise SimulatorError(
                f"{name} takes arguments by position, not by name\nWrap it: lambda theta, rng: {name}(theta, rng)"
            )
        named = [p for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
        step = cls(
            function=function,
            name=name,
            vectorized=vectorized,
            parameters=frozenset(p.name for p in named),
            required=frozenset(p.name for p in named if p.default is p.empty),
            takes_all=any(p.kind is p.VAR_KEYWORD for p in parameters),
        )
        if vectorized and not (step.takes_all or "n" in step.parameters or step.required - {"rng"}):
            raise SimulatorError(
                f"{name} is vectorized but takes neither `n` nor a variable: how many rows should it make?\n"
                f"Write: def {name}(n, rng)"
            )
        return step

    def run(
        self, variables: Mapping[str, Any], sequence: np.random.SeedSequence, size: int, where: str
    ) -> dict[str, np.ndarray]:
        """Call the function with those variables it names; `size` and `where` say for which rows.

        Raises:
            SimulatorError: an argument that nobody makes, a failing call, or an unusable result.
        """
        arguments = self._arguments(variables, sequence, size)
        seed_global_state(sequence)
        try:
            result = self.function(**arguments)
        except Exception as error:
            received = listing(f"{key}={_brief(value)}" for key, value in arguments.items())
            raise SimulatorError(
                f"{self.name} raised {type(error).__name__} in {where}: {_line(error)}\nIt received: {received}"
            ) from error
        if not isinstance(result, Mapping) or not result or not all(isinstance(key, str) for key in result):
            raise SimulatorError(
                f"{self.name} returned {_brief(result)} in {where}, not a dict of arrays by name\n"
                'Write for instance: return {"theta": theta}'
            )
        reserved = {"rng", "n"} if self.vectorized else {"rng"}
        if taken := sorted(reserved & set(result)):
            raise SimulatorError(
                f"{self.name} returned a variable named {taken[0]!r}, which has a meaning of its own\n"
                "Rename the variable."
            )
        return {key: as_numbers(value, f"{key}, returned by {self.name} in {where},") for key, value in result.items()}

    def _arguments(self, variables: Mapping[str, Any], sequence: np.random.SeedSequence, size: int) -> dict[str, Any]:
        known = dict(variables)
        if "rng" in self.parameters:
            known["rng"] = np.random.default_rng(sequence)
        if self.vectorized and "n" in self.parameters:
            if "n" in variables:
                raise SimulatorError(
                    f"{self.name} is vectorized: its `n` is the number of rows, but there is a variable n\n"
                    "Rename the variable."
                )
            known["n"] = size
        for name in sorted(self.required - set(known)):
            advice = f"Return it from an earlier function, or give it: given={{{name!r}: ...}}"
            if name == "n":
                advice = "If n is to be the number of rows, say so: make_simulator(..., vectorized=True)"
            raise SimulatorError(
                f"{self.name} has an argument {name!r} that nobody makes{did_you_mean(name, variables)}\n"
                f"Made before it: {listing(variables)}\n{advice}"
            )
        names = known if self.takes_all else self.parameters & set(known)
        return {name: np.copy(known[name])[()] if name in variables else known[name] for name in names}


def as_numbers(value: Any, what: str) -> np.ndarray:
    """A copy as an array of real numbers.

    Raises:
        SimulatorError: no real numbers, or of unequal lengths.
    """
    advice = "Make it a real number or an array of real numbers."
    try:
        array = np.asarray(value).copy()
    except Exception as error:
        raise SimulatorError(f"{what} is no array: {_line(error)}\n{advice}") from error
    if array.dtype.kind not in "fiub":
        raise SimulatorError(f"{what} has dtype {array.dtype}\n{advice}")
    return array


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _brief(value: Any) -> str:
    shape = getattr(value, "shape", ())
    return f"{type(value).__name__}{tuple(shape)}" if shape else repr(value)[:80]
