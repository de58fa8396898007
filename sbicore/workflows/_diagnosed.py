"""Diagnostics of a workflow: test data, draws or estimates for them, then plots and metrics of the plugin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .._messages import listing
from ..approximators._ragged import is_mask
from ..approximators._tables import as_columns
from ..errors import ConfigError, DataError
from ..randomness import as_seed

__all__ = ["Diagnosed"]

Keys = str | Sequence[str] | None


class _Found(NamedTuple):
    """Draws or estimates for test data, and the true values."""

    values: Any
    targets: dict[str, Any]
    estimates: bool


class Diagnosed:
    """What every workflow can be asked for (needs sbicore-diagnostics)."""

    approximator: Any
    history: Any
    simulate: Callable[..., dict[str, Any]]
    sample: Callable[..., Any]
    estimate: Callable[..., Any]

    def plot_default_diagnostics(
        self,
        test_data: int | Mapping[str, Any],
        num_samples: int = 1000,
        *,
        variable_keys: Keys = None,
        variable_names: Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Figures by name: `loss` (after training), `recovery`, `calibration_ecdf`, `coverage`, `z_score_contraction`.

        Of a network that estimates and does not draw: `loss`, `recovery`, and `calibration_ecdf` of its quantiles.

        Args:
            test_data: data sets with their true values, which training has not seen; or how many to simulate.
            num_samples: draws for each data set; without effect on a network that estimates.
            variable_keys: inferred variables to look at, in this order; by default all.
            variable_names: labels, one for each scalar.
            seed: for test data and draws; without it one is drawn from torch's default generator.
            **options: of `sample`, such as `steps`, or of `estimate`.

        Raises:
            NotBuiltError: nothing has been trained yet.
            ConfigError: no conditions, no simulator for a number, or an option that does not exist.
            DataError, ShapeError: test data that do not fit, or fewer than 10 data sets or draws.
        """
        from .. import diagnostics

        of_draws, of_estimates = diagnostics.default_plots, diagnostics.default_plots_from_estimates
        found = self._answers(test_data, num_samples, variable_keys, seed, options)
        figures = {"loss": diagnostics.loss(self.history)} if self.history.loss else {}
        given = (found.values, found.targets, variable_keys, variable_names)
        if not found.estimates:
            return figures | of_draws(*given)
        return figures | of_estimates(*given, quantile_levels=self._levels())

    def compute_default_diagnostics(
        self,
        test_data: int | Mapping[str, Any],
        num_samples: int = 1000,
        *,
        variable_keys: Keys = None,
        variable_names: Sequence[str] | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> Any:
        """A table of metrics by parameter, see `sbicore.diagnostics.default_metrics`: `table["NRMSE"]["theta[0]"]`.

        It prints aligned; `to_dict()` and, with pandas, `to_data_frame()` convert it. Arguments and errors as those of
        `plot_default_diagnostics`.
        """
        from .. import diagnostics

        of_draws, of_estimates = diagnostics.default_metrics, diagnostics.default_metrics_from_estimates
        found = self._answers(test_data, num_samples, variable_keys, seed, options)
        given = (found.values, found.targets, variable_keys, variable_names)
        return of_estimates(*given, quantile_levels=self._levels()) if found.estimates else of_draws(*given)

    def custom_diagnostics(
        self,
        test_data: int | Mapping[str, Any],
        functions: Mapping[str, Callable[[Any, Any], Any]],
        num_samples: int = 1000,
        *,
        seed: int | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """What each function returns for draws (or estimates) and true values, by name: plots, metrics, your own.

        For instance `{"tarp": diagnostics.tarp, "histogram": diagnostics.calibration_histogram}`. The same draws are
        given to all. Other arguments and errors as those of `plot_default_diagnostics`.
        """
        given = functions if isinstance(functions, Mapping) else {}
        odd = [f", and {name!r} is {function!r}" for name, function in given.items() if not callable(function)]
        if odd or functions is not given:
            raise ConfigError(
                f"custom_diagnostics takes functions by name{odd[0] if odd else f', got {functions!r}'}\n"
                'Give for instance: {"tarp": sbicore.diagnostics.tarp}'
            )
        found = self._answers(test_data, num_samples, None, seed, options)
        return {name: function(found.values, found.targets) for name, function in functions.items()}

    def _answers(
        self,
        test_data: int | Mapping[str, Any],
        num_samples: int,
        keys: Keys,
        seed: int | None,
        options: Mapping[str, Any],
    ) -> _Found:
        first = self._trained()
        pipeline = first.pipeline
        known = [name for name in pipeline.events if name not in pipeline.target_names]
        if not known:
            raise ConfigError("Without conditions there is one posterior, and no data sets to look at.")
        if missing := [name for name in _listed(keys) if name not in pipeline.target_names]:
            raise DataError(
                f"{missing[0]!r} is not inferred, so it has no diagnostics\nInferred: {listing(pipeline.target_names)}"
            )
        seed = as_seed(seed)
        data = self._test_data(test_data, seed)
        if missing := [name for name in pipeline.target_names if name not in data]:
            raise DataError(f"test_data lack the true values of {listing(missing)}\nThere are: {listing(data)}")
        conditions = {name: value for name, value in data.items() if name in known or is_mask(name)}
        targets = {name: data[name] for name in pipeline.target_names}
        options = {"progress": False, **options}
        if "estimate" in first.config.capabilities and "sample" not in first.config.capabilities:
            return _Found(self.estimate(conditions, **options), targets, True)
        return _Found(self.sample(conditions, num_samples, **{"seed": seed, **options}), targets, False)

    def _trained(self) -> Any:
        """The approximator, or a member of an ensemble."""
        first = getattr(self.approximator, "first", self.approximator)
        first._require_built("diagnostics")
        return first

    def _test_data(self, test_data: int | Mapping[str, Any], seed: int) -> Mapping[str, Any]:
        test_data = as_columns(test_data, self._trained().pipeline.categories)
        if isinstance(test_data, Mapping):
            return test_data
        if isinstance(test_data, bool) or not isinstance(test_data, int) or test_data < 1:
            found = repr(test_data) if isinstance(test_data, (int, float)) else type(test_data).__name__
            raise DataError(f"test_data takes a dict of arrays, or a number of simulations, got {found}")
        return self.simulate(test_data, seed=seed)

    def _levels(self) -> Sequence[float] | None:
        """Levels of the quantiles that are estimated."""
        rules = self._trained().rules.values()
        return next((rule.q for rule in rules if "quantiles" in getattr(rule, "statistics", {})), None)


def _listed(keys: Keys) -> list[str]:
    return [] if keys is None else [keys] if isinstance(keys, str) else list(keys)
