"""Every test of calibration finds what is wrong in 95 % of 200 repetitions, and nothing in 95 % where nothing is wrong.

An alarm is a p-value of 0.02 or less, or a negative log gamma for the quantile 0.02, so that 5 % of false alarms leave
room for chance: of 200 repetitions 4 are expected, and 10 allowed. Wrong are deviations of 0.8 times the posterior's,
and means that lie 0.3 deviations too high.
"""

from __future__ import annotations

import numpy as np
import pytest
from sbicore_diagnostics import (
    calibration_log_gamma,
    expected_coverage,
    hpd_coverage,
    local_c2st,
    mmd_test,
    sbc,
    tarp,
)

REPETITIONS = 200
ALARM = 0.02
RIGHT, NARROW, BIASED = {}, {"deviation": 0.8}, {"shift": 0.3}


def alarms_of_sbc(posteriors, wrong):
    """500 data sets, 50 draws; each repetition is a column."""
    return sbc(*posteriors(1, 500, 50, REPETITIONS, **wrong)).p_values <= ALARM


def alarms_of_log_gamma(posteriors, wrong):
    """500 data sets, 50 draws."""
    return calibration_log_gamma(*posteriors(2, 500, 50, REPETITIONS, **wrong), quantile=ALARM) < 0


def alarms_of_expected_coverage(posteriors, wrong):
    """500 data sets and 50 draws, but 12,000 and 20 for a shift, which widens central intervals by 4 % only."""
    datasets, draws, parts = (12_000, 20, 10) if wrong == BIASED else (500, 50, 1)
    return np.concatenate(
        [
            expected_coverage(*posteriors([3, part], datasets, draws, REPETITIONS // parts, **wrong)).p_values <= ALARM
            for part in range(parts)
        ]
    )


def alarms_of_hpd_coverage(_, wrong):
    """1,000 data sets, 50 draws, 10 parameters: log densities of normal draws and of truths seen from them."""
    shift, deviation = wrong.get("shift", 0.0), wrong.get("deviation", 1.0)
    alarms = []
    for repetition in range(REPETITIONS):
        rng = np.random.default_rng([4, repetition])
        own = -rng.chisquare(10, (1_000, 50)) / 2
        true = -rng.noncentral_chisquare(10, 10 * shift**2 + 1e-12, 1_000) / deviation**2 / 2
        alarms.append(hpd_coverage(own, true).p_values[0] <= ALARM)
    return np.array(alarms)


def alarms_of_tarp(posteriors, wrong):
    """1,000 data sets, 30 draws, 2 parameters."""
    return np.array(
        [
            tarp(*posteriors([5, repetition], 1_000, 30, 2, **wrong), seed=repetition).p_values[0] <= ALARM
            for repetition in range(REPETITIONS)
        ]
    )


def alarms_of_local_c2st(_, wrong):
    """2,000 simulations and 300 draws for one observation, 2 parameters; the observation differs each time."""
    shift, deviation = wrong.get("shift", 0.0), wrong.get("deviation", 1.0)
    alarms = []
    for repetition in range(REPETITIONS):
        rng = np.random.default_rng([6, repetition])
        truths = rng.normal(size=(2_000, 2))
        data = truths + rng.normal(size=(2_000, 2))
        observed = np.sqrt(2) * rng.normal(size=2)
        noise, here = rng.normal(size=(2_000, 1, 2)), rng.normal(size=(300, 2))
        draws = data[:, None] / 2 + np.sqrt(0.5) * (shift + deviation * noise)
        judged = observed / 2 + np.sqrt(0.5) * (shift + deviation * here)
        test = local_c2st(draws, truths, data, observed_samples=judged, observed=observed, permutations=99)
        alarms.append(test.p_value <= ALARM)
    return np.array(alarms)


def alarms_of_mmd(_, wrong):
    """300 draws in each set, 5 parameters."""
    alarms = []
    for repetition in range(REPETITIONS):
        rng = np.random.default_rng([7, repetition])
        samples = wrong.get("shift", 0.0) + wrong.get("deviation", 1.0) * rng.normal(size=(300, 5))
        alarms.append(mmd_test(samples, rng.normal(size=(300, 5)), permutations=99).p_value <= ALARM)
    return np.array(alarms)


@pytest.mark.parametrize(
    "alarms",
    [
        alarms_of_sbc,
        alarms_of_log_gamma,
        alarms_of_expected_coverage,
        alarms_of_hpd_coverage,
        alarms_of_tarp,
        alarms_of_local_c2st,
        alarms_of_mmd,
    ],
)
@pytest.mark.parametrize("wrong", [RIGHT, NARROW, BIASED], ids=["right", "narrow", "biased"])
def test_alarms(alarms, wrong, posteriors):
    found = alarms(posteriors, wrong)
    assert found.shape == (REPETITIONS,)
    assert found.mean() >= 0.95 if wrong else found.mean() <= 0.05
