"""Simulators from plain functions: `make_simulator([prior, likelihood])`.

Functions return dicts of arrays or scalars; a later one receives by argument name what earlier
ones made. Every (function, row) has a seed of its own, so row i is the same for any `n`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike

from ._messages import did_you_mean, listing
from ._seeding import child, restored_global_state
from ._steps import Step, as_numbers
from .errors import DataError, ShapeError, SimulatorError, UnknownComponentError
from .randomness import as_seed

__all__ = ["BLOCK", "Simulator", "make_simulator"]

BLOCK = 1_000
"""Rows that a vectorized function makes in one call."""


class Sampler(Protocol):
    """Anything that makes rows by itself, such as a benchmark simulator."""

    def sample(self, n: int, *, seed: int | None = None) -> Mapping[str, ArrayLike]:
        """`n` rows of each variable, `(n, *event)`."""
        ...


def make_simulator(
    source: Callable[..., Any] | Sampler | str | Sequence[Any], *, vectorized: bool = False
) -> Simulator:
    """A simulator from a function, any callable, a simulator, the name of an installed one, or a list of those.

    A function makes one row: a dict of scalars and arrays. Its arguments are the variables that
    earlier functions made, its own copies of them, and `rng`, a NumPy generator for this row.
    Global generators (`np.random`, `random`, torch on the CPU if imported) are seeded for each call
    and put back afterwards. Constants go into default values or `functools.partial`.

    Args:
        source: what to run, in this order. A simulator made here keeps its own `vectorized`; other
            objects with `.sample(n, seed=)` make rows by themselves.
        vectorized: whether the functions make many rows in one call: they receive arrays
            `(n, *event)` and, if they name it, `n`, at most 1,000 rows with one `rng`.

    Raises:
        SimulatorError: something cannot be run, or a vectorized function cannot know its `n`.
    """
    steps = tuple(_steps(source, vectorized))
    if not steps:
        raise SimulatorError("There is nothing to simulate.\nGive a function: make_simulator([prior])")
    return Simulator(steps)


class Simulator:
    """Runs functions in order and collects what they return. Made by `make_simulator`."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self.steps = tuple(steps)

    def __repr__(self) -> str:
        return f"Simulator({' -> '.join(step.name for step in self.steps)})"

    def sample(
        self,
        n: int,
        *,
        seed: int | None = None,
        given: Mapping[str, ArrayLike] | None = None,
        progress: bool = False,
    ) -> dict[str, np.ndarray]:
        """`n` rows of every variable, `(n, *event)`; floats as float32, integers as integers.

        Where a function of single rows returns arrays that differ in their first axis, the result is an array of
        arrays, which `fit` and `sample` take as sets or series of different lengths.

        The same seed gives the same rows, and fewer of them for a smaller `n`; only the last,
        incomplete block of 1,000 rows of a vectorized function depends on `n`.

        Args:
            n: how many rows.
            seed: a whole number; by default drawn from torch's default generator.
            given: variables with known values `(n, *event)`, such as draws of a posterior. They
                replace what functions make; a function that makes nothing else is not run
                (beyond its first call, which tells what it makes).
            progress: whether to show a progress bar.

        Raises:
            DataError: `n` or `given` cannot be used; ShapeError where shapes do not fit.
            SimulatorError: a function failed, returned something else than a dict of numbers, or
                has an argument that nobody makes.
        """
        from tqdm import tqdm

        if isinstance(n, bool) or not hasattr(n, "__index__") or n.__index__() < 1:
            raise DataError(f"n must be a whole number >= 1, got {n!r}\nGive for instance: sample(1000)")
        n = n.__index__()
        seed = as_seed(seed)
        fixed = {name: _given(name, values, n) for name, values in (given or {}).items()}
        calls = len(self.steps)
        bar = tqdm(total=n * calls, desc="simulate", unit="row", unit_scale=1 / calls, disable=not progress)
        with bar, restored_global_state():
            run = _Run(self.steps, seed, frozenset(fixed), bar.update)
            blocks = []
            for start in range(0, n, BLOCK):
                stop = min(start + BLOCK, n)
                variables = {name: values[start:stop] for name, values in fixed.items()}
                blocks.append(run.block(range(start, stop), variables))
        return {name: _together([block[name] for block in blocks]) for name in blocks[0]}


class _Run:
    """One call of `sample`: its seed, and what is known so far of each function and variable."""

    def __init__(self, steps: Sequence[Step], seed: int, given: frozenset[str], update: Callable[[int], Any]) -> None:
        self.seed, self.given, self.update = seed, given, update
        self.steps = list(enumerate(steps))
        self.made: dict[int, set[str]] = {}
        self.makers: dict[str, int] = {}
        self.events: dict[str, tuple[int, ...]] = {}

    def block(self, rows: range, variables: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """All variables of these rows; neighbours that make single rows run row by row together."""
        for vectorized, group in itertools.groupby(self.steps, key=lambda item: item[1].vectorized):
            steps = list(group)
            if vectorized:
                for position, step in steps:
                    variables |= self.call(position, step, variables, rows)
            else:
                made = [self.row(row, steps, _at(row - rows.start, variables)) for row in rows]
                variables |= {name: _stacked([one[name] for one in made]) for name in made[0]}
        self.check_given()
        return {name: _single(values) for name, values in variables.items()}

    def row(self, row: int, steps: list[tuple[int, Step]], variables: dict[str, Any]) -> dict[str, np.ndarray]:
        """What these functions make of one row, one after the other."""
        made: dict[str, np.ndarray] = {}
        for position, step in steps:
            made |= self.call(position, step, {**variables, **made}, range(row, row + 1))
        return made

    def call(self, position: int, step: Step, variables: Mapping[str, Any], rows: range) -> dict[str, np.ndarray]:
        """What one function makes, without the variables that are given."""
        self.update(len(rows))
        if position in self.made and self.made[position] <= self.given:
            return {}
        where = f"rows {rows.start}-{rows.stop - 1}" if step.vectorized else f"row {rows.start}"
        where = f"{where} (seed {self.seed})"
        index = rows.start // BLOCK if step.vectorized else rows.start
        result = step.run(variables, child(self.seed, position, index), len(rows), where)
        if set(result) != self.made.setdefault(position, set(result)):
            raise SimulatorError(
                f"{step.name} returned {listing(result)} in {where}\n"
                f"Before it had returned {listing(sorted(self.made[position]))}\n"
                "Return the same variables for every row; NaN may stand for a missing value."
            )
        for name, values in result.items():
            self.check(name, values, position, len(rows), where)
        return {name: values for name, values in result.items() if name not in self.given}

    def check(self, name: str, values: np.ndarray, position: int, size: int, where: str) -> None:
        """One maker for each variable, the same event shape in every row."""
        step = self.steps[position][1]
        if self.makers.setdefault(name, position) != position:
            other = self.steps[self.makers[name]][1]
            raise SimulatorError(f"{other.name} and {step.name} both make {name}\nRename one of the two.")
        if step.vectorized and values.shape[:1] != (size,):
            raise ShapeError(
                f"{step.name} returned {name} with shape {values.shape} in {where}, expected ({size}, ...)\n"
                "A vectorized function returns one row for each of its n; without vectorized, just one.",
                variable=name,
                expected=(size, ...),
                got=values.shape,
            )
        event = values.shape[1:] if step.vectorized else values.shape
        expected = self.events.setdefault(name, event)
        varies = not step.vectorized and len(event) == len(expected) and event[1:] == expected[1:]
        if event != expected and not varies:
            raise ShapeError(
                f"{step.name} returned {name} with shape {event} in {where}, but {expected} before\n"
                "Return arrays of one shape. The first axis may vary where a function makes single rows.",
                variable=name,
                expected=expected,
                got=event,
            )

    def check_given(self) -> None:
        """Whatever is given must be made or taken by a function."""
        if any(step.takes_all for _, step in self.steps):
            return
        known = set(self.makers).union(*(step.parameters for _, step in self.steps)) - {"rng"}
        for name in self.given - known:
            raise DataError(
                f"No function makes or takes the given variable {name!r}{did_you_mean(name, known)}\n"
                f"Variables: {listing(sorted(known))}",
                variable=name,
            )


def _steps(source: Any, vectorized: bool) -> Iterator[Step]:
    if isinstance(source, Simulator):
        yield from source.steps
    elif isinstance(source, str):
        yield from _steps(_installed(source), vectorized)
    elif isinstance(source, (list, tuple)):
        for item in source:
            yield from _steps(item, vectorized)
    elif hasattr(source, "sample") and not isinstance(source, type):
        yield Step.of(_rows_of(source), vectorized=True)
    else:
        yield Step.of(source, vectorized=vectorized)


def _installed(name: str) -> Any:
    """The benchmark simulator of this name."""
    from .registry import as_config

    try:
        return as_config(name, kind="simulator")
    except UnknownComponentError as error:
        raise SimulatorError(f"{name!r} cannot be run: {error}\nOr give the function itself, not its name.") from error


def _rows_of(source: Sampler) -> Callable[..., Any]:
    def rows(n: int, rng: np.random.Generator) -> Mapping[str, ArrayLike]:
        return source.sample(n, seed=int(rng.integers(2**32)))

    rows.__name__ = type(source).__name__
    return rows


def _at(index: int, variables: Mapping[str, np.ndarray]) -> dict[str, Any]:
    return {name: values[index] for name, values in variables.items()}


def _given(name: str, values: ArrayLike, n: int) -> np.ndarray:
    array = as_numbers(values, f"The given {name}")
    if array.shape[:1] != (n,):
        raise ShapeError(
            f"The given {name} has shape {array.shape}, expected ({n}, ...)\nGive one row for each of n.",
            variable=name,
            expected=(n, ...),
            got=array.shape,
        )
    return array


def _stacked(rows: list[np.ndarray]) -> np.ndarray:
    """One array of all rows; where they differ in length, an array of arrays."""
    if len({row.shape for row in rows}) == 1:
        return np.stack(rows)
    result = np.empty(len(rows), dtype=object)
    for index, row in enumerate(rows):
        result[index] = _single(row)
    return result


def _together(blocks: list[np.ndarray]) -> np.ndarray:
    if len({block.dtype == object or block.shape[1:] for block in blocks}) == 1:
        return _single(np.concatenate(blocks))
    return _stacked([row for block in blocks for row in block])


def _single(values: np.ndarray) -> np.ndarray:
    """Floats of any precision as float32, all others as they are."""
    if values.dtype.kind != "f":
        return values
    with np.errstate(over="ignore"):
        return values.astype(np.float32, copy=False)
