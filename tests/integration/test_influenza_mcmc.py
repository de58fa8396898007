"""The reference posterior of the influenza problem: a long MCMC run with emcee on the exact likelihood.

`python tests/integration/test_influenza_mcmc.py` makes the run anew and writes influenza_mcmc.json.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sbicore.examples import influenza

FILE = Path(__file__).with_name("influenza_mcmc.json")
QUANTILES = {"q05": 0.05, "median": 0.5, "q95": 0.95}


def reference() -> dict:
    """The stored summary: `quantities[name]` has median, q05, q95 and the Monte Carlo error of each."""
    return json.loads(FILE.read_text())


def log_posterior(log_parameters: np.ndarray) -> np.ndarray:
    """Log density of `(log beta, log gamma, log phi_inv)`, `(n, 3) -> (n,)`, up to a constant."""
    parameters = np.exp(log_parameters).T
    total = influenza.log_prior(*parameters) + log_parameters.sum(axis=1)
    inside = total > -1e3  # spares the likelihood absurd parameters
    total[inside] += influenza.log_likelihood(*parameters[:, inside])
    return np.where(inside, total, -np.inf)


def run(seed: int, *, walkers: int, burn_in: int, steps: int) -> tuple[dict[str, np.ndarray], float]:
    """Chains `(steps, walkers)` of every quantity, and the largest autocorrelation time in steps.

    Walkers start from the most probable of 100 times as many draws of the prior: from a typical draw
    a few get lost on the way, where phi_inv is enormous, and are still there thousands of steps later.
    """
    import emcee

    draws = influenza.prior(100 * walkers, np.random.default_rng(seed))
    start = np.log(np.stack(list(draws.values()), axis=1))
    start = start[np.argsort(log_posterior(start))[-walkers:]]
    sampler = emcee.EnsembleSampler(walkers, 3, log_posterior, vectorize=True)
    sampler.random_state = np.random.RandomState(seed).get_state()
    state = sampler.run_mcmc(emcee.State(start), burn_in)
    sampler.reset()
    sampler.run_mcmc(state, steps)
    beta, gamma, phi_inv = np.moveaxis(np.exp(sampler.get_chain()), -1, 0)
    chains = {"beta": beta, "gamma": gamma, "phi_inv": phi_inv, "R0": beta / gamma, "recovery": 1 / gamma}
    return chains, float(sampler.get_autocorr_time(tol=30).max())


def summary(chains: dict[str, np.ndarray], batches: int = 50) -> dict[str, dict[str, float]]:
    """Median and 90 % interval; each with its Monte Carlo error from batch means over time."""
    quantities = {}
    for name, chain in chains.items():
        levels = list(QUANTILES.values())
        whole = np.quantile(chain, levels)
        parts = [np.quantile(part, levels) for part in np.array_split(chain, batches)]
        errors = np.std(parts, axis=0, ddof=1) / np.sqrt(batches)
        quantities[name] = dict(zip(QUANTILES, whole.tolist(), strict=True))
        quantities[name] |= {f"{key}_mcse": float(e) for key, e in zip(QUANTILES, errors, strict=True)}
    return quantities


def split_rhat(chain: np.ndarray) -> float:
    """Potential scale reduction of the two halves of every walker (Gelman et al., BDA3, section 11.4)."""
    half = len(chain) // 2
    chains = np.concatenate([chain[:half], chain[-half:]], axis=1)
    within = chains.var(axis=0, ddof=1).mean()
    return float(np.sqrt((half - 1) / half + chains.mean(axis=0).var(ddof=1) / within))


def margin(one: dict[str, float], other: dict[str, float], key: str) -> float:
    """Five standard errors of the difference of two independent runs."""
    return 5 * float(np.hypot(one[f"{key}_mcse"], other[f"{key}_mcse"]))


@pytest.mark.slow
def test_a_new_run_agrees_with_the_stored_reference():
    pytest.importorskip("emcee")
    chains, time = run(3, walkers=200, burn_in=500, steps=3_000)
    assert time < 3_000 / 30
    assert max(split_rhat(chain) for chain in chains.values()) < 1.02
    stored = reference()["quantities"]
    for name, new in summary(chains).items():
        for key in QUANTILES:
            assert abs(new[key] - stored[name][key]) < margin(new, stored[name], key), (name, key)


def test_the_stored_reference_is_precise_enough_to_judge_by():
    """Its own error is under a tenth of what is asked of the quickstart: 5 % of a median, 20 % of a width."""
    for values in reference()["quantities"].values():
        width = values["q95"] - values["q05"]
        assert values["median_mcse"] < 0.005 * values["median"]
        assert np.hypot(values["q05_mcse"], values["q95_mcse"]) < 0.02 * width


def main() -> None:
    """Two independent runs that must agree; both together are the reference."""
    settings = {"walkers": 400, "burn_in": 1_000, "steps": 5_000}
    runs = {seed: run(seed, **settings) for seed in (1, 2)}
    one, two = (summary(chains) for chains, _ in runs.values())
    for name in one:
        for key in QUANTILES:
            apart = abs(one[name][key] - two[name][key]) / (margin(one[name], two[name], key) / 5)
            print(f"{name} {key}: {one[name][key]:.5f}, {two[name][key]:.5f}: {apart:.1f} errors apart")
            if apart > 5:
                raise SystemExit("The two runs disagree: run longer.")
    both = {name: np.concatenate([chains[name] for chains, _ in runs.values()]) for name in one}
    rhat = max(split_rhat(chain) for chains, _ in runs.values() for chain in chains.values())
    if rhat > 1.02:
        raise SystemExit(f"A walker is lost or the chains are too short: split R-hat is {rhat}.")
    time = max(time for _, time in runs.values())
    facts = {
        "problem": "influenza_england_1978_school, model of arXiv:2006.02985",
        "sampler": "emcee, stretch moves in log parameters, started from the best 1 % of prior draws",
        "seeds": list(runs),
        **settings,
        "draws": int(both["beta"].size),
        "autocorrelation_time": round(time, 1),
        "effective_draws": int(both["beta"].size / time),
        "largest_split_rhat": round(rhat, 4),
        "quantities": {n: {k: float(f"{v:.6g}") for k, v in q.items()} for n, q in summary(both).items()},
    }
    FILE.write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main()
