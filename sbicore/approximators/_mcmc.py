"""Draws by the affine-invariant ensembles of emcee, in the space of the network."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from .._threads import suitable_threads
from ..errors import ConfigError, SamplingError, SamplingWarning, SbicoreError
from ..randomness import generator_for, seed_for
from ..ratio_options import MCMCOptions
from ..training.progress import Progress
from ._checks import require_options
from ._importance import weighted
from ._prior_density import prior_density
from ._prior_draws import log_ratios, outside, prior_draws

if TYPE_CHECKING:
    from .ratio import RatioApproximator

__all__ = ["mcmc_sample"]

WALKERS = 1_000
JUMPS = 0.1
"""Share of moves along the whole difference of two walkers, from mode to mode (ter Braak 2006)."""
FORGOTTEN = 3
"""Autocorrelation times after which a chain has forgotten its start to one part in twenty."""


def mcmc_sample(
    model: RatioApproximator,
    conditions: Mapping[str, Any],
    draws: int,
    prior: Any,
    *,
    seed: int,
    progress: bool,
    chunk_size: int | None,
    options: Mapping[str, Any],
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Draws `{name: (O, S, *event)}` and the facts of a report.

    The walkers start at different draws of the prior, drawn by their ratios; so modes have their weights from the
    start, and the moves have to fill them only.
    """
    _require_emcee()
    require_options("sample of a ratio", MCMCOptions, options)
    settings = MCMCOptions(**options)
    if prior is None:
        raise ConfigError(
            "A Markov chain needs the density of the prior\n"
            "Give prior=..., for instance of torch.distributions, or take method='importance'."
        )
    density = prior_density(model, prior)
    (size,) = model.network.event
    walkers = _walkers(settings, draws, size)
    observed = model.observe(conditions)
    if observed is None:
        raise SamplingError("a ratio needs an observation")
    parts = prior.values() if isinstance(prior, Mapping) else (prior,)
    drawable = all(callable(getattr(part, "sample", None)) for part in parts)
    candidates = prior_draws(model, prior if drawable else None, max(settings.candidates, walkers), seed)
    if len(candidates) < walkers:
        raise ConfigError(f"walkers={walkers} need as many draws of the prior, and {len(candidates)} are kept")
    values = model.to_user_space(candidates)
    model.eval()
    found, acceptance, times = [], [], []
    rounds = -(-draws // walkers)
    moves = settings.warmup + (rounds - 1) * settings.thin
    with (
        suitable_threads(model.device) as check_threads,
        Progress(len(observed) * moves, "sampling", enabled=progress, unit="move") as bar,
    ):
        for i in range(len(observed)):
            check_threads()
            row = observed[i : i + 1]
            start = _start(weighted(model, candidates, values, row, i, chunk_size), walkers, seed, i)
            chain, accepted = _chain(
                _target(model, density, row, chunk_size),
                candidates[start].double().numpy(),
                moves,
                seed_for(seed, 3, i),
                bar.update,
            )
            kept = chain[settings.warmup :: settings.thin]
            order = torch.randperm(kept.shape[0] * walkers, generator=generator_for(seed, 4, i))[:draws]
            found.append(torch.from_numpy(kept.reshape(-1, size))[order])
            acceptance.append(accepted)
            times.append(_autocorrelation_time(chain))
    slow = [i for i, tau in enumerate(times) if settings.warmup < FORGOTTEN * tau]
    if slow:
        warnings.warn(
            f"For {len(slow)} of {len(times)} observations the warm-up is shorter than {FORGOTTEN} autocorrelation "
            f"times, {times[slow[0]]:.0f} moves for number {slow[0]}.\n"
            f"Give warmup={max(2 * settings.warmup, int(2 * FORGOTTEN * max(times)) + 1)}.",
            SamplingWarning,
            stacklevel=3,
        )
    effective = (walkers * (1 + (rounds - 1) * min(1.0, settings.thin / tau)) for tau in times)
    facts = {
        "effective_sample_size": tuple(min(float(draws), value) for value in effective),
        "acceptance": float(np.mean(acceptance)),
        "evaluations": (len(candidates) + walkers * (1 + moves)) / draws,
    }
    return model.to_user_space(torch.stack(found)), facts


def _target(
    model: RatioApproximator, density: Callable[[dict[str, Tensor]], Tensor], observed: Tensor, chunk_size: int | None
) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """Log density `(W, D) -> (W,)` of standardised parameters, but for a constant."""

    @torch.no_grad()
    def log_density(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        z = torch.from_numpy(np.ascontiguousarray(points))
        parameters = model.to_user_space(z, torch.float64)
        _, log_det = model.pipeline.log_det(parameters)
        total = density(parameters) - log_det
        possible = ~outside(model, parameters) & (total > -torch.inf)
        if bool(torch.isnan(total[possible | torch.isnan(total)]).any()):
            raise ConfigError(
                "the prior's log_prob is NaN for parameters that the chain visits\n"
                "Give a prior whose log_prob is minus infinity where it ends, or build with bounds and train again."
            )
        total = total + log_ratios(model, z, observed, chunk_size)
        return torch.where(possible, total, -torch.inf).numpy()

    return log_density


def _chain(
    log_density: Callable[..., Any],
    start: np.ndarray[Any, Any],
    moves: int,
    seed: int,
    update: Callable[[int], Any],
) -> tuple[np.ndarray[Any, Any], float]:
    """Positions `(1 + moves, W, D)` and the share of accepted moves."""
    import emcee

    failed: list[SbicoreError] = []

    def guarded(points: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Without an error, which emcee would print with all its parameters."""
        try:
            return log_density(points)  # type: ignore[no-any-return]
        except SbicoreError as error:
            failed.append(error)
            return np.zeros(len(points))

    walkers, size = start.shape
    sampler = emcee.EnsembleSampler(
        walkers,
        size,
        guarded,
        vectorize=True,
        moves=[(emcee.moves.DEMove(), 1 - JUMPS), (emcee.moves.DEMove(gamma0=1.0), JUMPS)],
    )
    state = emcee.State(start, random_state=np.random.RandomState(seed % 2**32).get_state())
    chain = [start]
    for found in sampler.sample(state, iterations=moves, skip_initial_state_check=True) if moves else ():
        if failed:
            raise failed[0]
        chain.append(found.coords.copy())
        update(1)
    return np.stack(chain), float(sampler.acceptance_fraction.mean()) if moves else 1.0


def _start(log_weights: Tensor, walkers: int, seed: int, number: int) -> Tensor:
    """Different indices `(W,)`, drawn in proportion to the weights (Gumbel's trick)."""
    u = torch.rand(len(log_weights), generator=generator_for(seed, 2, number), dtype=torch.float64)
    return (log_weights - torch.log(-torch.log(u))).topk(walkers).indices


def _walkers(settings: MCMCOptions, draws: int, size: int) -> int:
    """How many, an even number of at least twice the parameters."""
    least = 2 * max(size, 2)
    if settings.walkers is None:
        return max(least, min(draws + draws % 2, WALKERS))
    if settings.walkers < least or settings.walkers % 2:
        raise ConfigError(
            f"walkers takes an even number of at least {least} for {size} parameters, got {settings.walkers}"
        )
    return settings.walkers


def _autocorrelation_time(chain: np.ndarray[Any, Any]) -> float:
    """The longest of all parameters, in moves, of the walkers that moved (arXiv:1202.3665, section 3)."""
    from emcee.autocorr import integrated_time

    if len(chain) < 3:
        return 1.0
    moved = (chain != chain[0]).any(0).all(-1)
    if not moved.any():
        return float(len(chain))
    return max(1.0, float(integrated_time(chain[:, moved], tol=0, quiet=True).max()))


def _require_emcee() -> None:
    try:
        import emcee  # noqa: F401
    except ImportError:
        raise ConfigError(
            "method='mcmc' needs the package emcee\n"
            "Install it: pip install 'sbicore[mcmc]', or take method='importance'."
        ) from None
