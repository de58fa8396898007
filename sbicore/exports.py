"""Draws for other packages: ArviZ, and pandas data frames."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .errors import ConfigError, DataError, ShapeError

__all__ = ["to_arviz", "to_dataframe"]

Draws = Mapping[str, ArrayLike]


def to_arviz(
    draws: Draws,
    *,
    observed_data: Draws | None = None,
    prior: Draws | None = None,
    posterior_predictive: Draws | None = None,
) -> Any:
    """Draws of `sample` as ArviZ takes them: an `InferenceData`, or from ArviZ 1 on a `DataTree`.

    All draws are one chain. With several observations every variable of a posterior has a dimension `observation`
    behind `chain` and `draw`; `.posterior.sel(observation=0)` takes one.

    Args:
        draws: `{name: (O, S, *event)}`, from `sample`; without conditions `(S, *event)`, given as `prior` too.
        observed_data: what was observed, `{name: (O, *event)}`, or `(*event)` where O is 1.
        prior: draws of the prior, `{name: (S, *event)}`, such as those of `simulate`.
        posterior_predictive: simulations from the draws, `{name: (O, S, *event)}`.

    Raises:
        ConfigError: ArviZ is not installed.
        DataError, ShapeError: no draws, or numbers of observations or draws that differ.
    """
    arviz = _package("arviz")
    posterior = _arrays(draws, "draws", 2)
    observations = next(iter(posterior.values())).shape[0]
    groups = {"posterior": _one_chain(posterior)}
    if posterior_predictive is not None:
        predicted = _arrays(posterior_predictive, "posterior_predictive", 2)
        if next(iter(predicted.values())).shape[0] != observations:
            raise ShapeError(
                f"posterior_predictive has {next(iter(predicted.values())).shape[0]} observations, draws {observations}"
            )
        groups["posterior_predictive"] = _one_chain(predicted)
    if prior is not None:
        groups["prior"] = {name: value[None] for name, value in _arrays(prior, "prior", 1).items()}
    if observed_data is not None:
        groups["observed_data"] = _observed(observed_data, observations)
    several = ["posterior", "posterior_predictive", "observed_data"] if observations > 1 else []
    names = {name for group in several for name in groups.get(group, {})}
    options: dict[str, Any] = {}
    if several:
        options = {
            "coords": {"observation": np.arange(observations)},
            "dims": {name: ["observation"] for name in names},
        }
        if "prior" in groups:  # one table of dims serves all groups
            groups["prior"] = {
                name: np.repeat(value[:, :, None], observations, 2) if name in names else value
                for name, value in groups["prior"].items()
            }
    if int(arviz.__version__.partition(".")[0]) >= 1:
        return arviz.from_dict(groups, **options)
    return arviz.from_dict(**groups, **options)


def to_dataframe(draws: Draws) -> Any:
    """Draws of `sample` as a pandas data frame: a row for each draw, a column for each number.

    Columns are `observation`, `draw`, and `name`, `name[0]`, or `name[0, 1]` by the event of the variable.

    Args:
        draws: `{name: (O, S, *event)}`.

    Raises:
        ConfigError: pandas is not installed.
        DataError, ShapeError: no draws, or numbers of observations or draws that differ.
    """
    pandas = _package("pandas")
    arrays = _arrays(draws, "draws", 2)
    observations, count = next(iter(arrays.values())).shape[:2]
    columns: dict[str, np.ndarray] = {
        "observation": np.repeat(np.arange(observations), count),
        "draw": np.tile(np.arange(count), observations),
    }
    for name, value in arrays.items():
        flat = value.reshape(observations * count, -1)
        for place, index in enumerate(np.ndindex(*value.shape[2:])):
            columns[f"{name}[{', '.join(map(str, index))}]" if index else name] = flat[:, place]
    return pandas.DataFrame(columns)


def _arrays(draws: Any, what: str, lead: int) -> dict[str, np.ndarray]:
    if not isinstance(draws, Mapping) or not draws:
        raise DataError(f"{what} must be a dict of arrays by name, as sample returns it, got {type(draws).__name__}")
    arrays = {
        str(name): np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
        for name, value in draws.items()
    }
    shapes = {array.shape[:lead] for array in arrays.values()}
    if len(shapes) > 1 or any(len(shape) < lead for shape in shapes):
        found = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
        expected = "(O, S, *event)" if lead == 2 else "(S, *event)"
        raise ShapeError(f"{what} have shapes that do not agree: {found}\nExpected {expected} for each variable.")
    return arrays


def _one_chain(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """`(O, S, *event)` to `(1, S, *event)`, or with several observations `(1, S, O, *event)`."""
    return {name: value if value.shape[0] == 1 else np.moveaxis(value, 0, 1)[None] for name, value in arrays.items()}


def _observed(observed: Draws, observations: int) -> dict[str, np.ndarray]:
    arrays = {str(name): np.asarray(value) for name, value in observed.items()}
    for name, value in arrays.items():
        if observations > 1 and value.shape[:1] != (observations,):
            raise ShapeError(
                f"observed_data: {name!r} has shape {value.shape}, expected ({observations}, ...)", variable=name
            )
    return {
        name: value[0] if observations == 1 and value.shape[:1] == (1,) else value for name, value in arrays.items()
    }


def _package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise ConfigError(f"This needs {name}, which is not installed\npip install {name}") from None
