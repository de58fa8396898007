"""Detection and false alarms on posteriors made by hand, with few repetitions; the command that measures many.

Of 20 repetitions at a level of 5 % more than 4 alarms have probability 0.003. The wrong posteriors listed are found in
at least 97 % of 100 repetitions, so that fewer than 16 of 20 have probability 0.0003.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from sbicore_diagnostics import detection_rates
from sbicore_diagnostics.detection_rates import KINDS, alarms, case

FOUND = {
    "sbc": ["over-confident", "biased", "mode-dropping"],
    "tarp": ["over-confident", "biased", "mode-dropping"],
    "hpd_coverage": ["over-confident", "mode-dropping"],
    "quantile_calibration": ["over-confident", "biased", "mode-dropping"],
    "posterior_z_score": ["over-confident", "biased", "mode-dropping"],
    "negative_log_density": ["over-confident", "biased", "mode-dropping"],
}


@pytest.mark.parametrize("diagnostic", FOUND)
def test_right_posteriors_pass_and_wrong_ones_are_found(diagnostic):
    for kind in ("calibrated", "calibrated, two modes"):
        assert alarms(diagnostic, kind, 20) <= 4
    for kind in FOUND[diagnostic]:
        assert alarms(diagnostic, kind, 20) >= 16


@pytest.mark.parametrize("name", KINDS)
def test_posteriors_are_what_their_names_say(name):
    """Means and deviations of draws and truths about the data, within 5 standard errors."""
    kind, one = KINDS[name], case(name, (1, 1), datasets=4_000, draws=5)
    truths, draws = one.truths - one.data, one.draws - one.data[:, None]
    modes = detection_rates.AWAY * kind.second
    assert truths.mean() == pytest.approx(modes, abs=5 * truths.std() / np.sqrt(4_000))
    assert draws.mean() == pytest.approx(
        kind.shift + (0 if kind.drop else modes), abs=5 * draws.std() / np.sqrt(20_000)
    )
    assert draws[draws < 2].std() == pytest.approx(kind.deviation, rel=0.1)


def test_densities_integrate_to_the_same():
    """On a grid, the exact posterior and that of the draws."""
    grid = np.stack(np.meshgrid(*[np.linspace(-8, 12, 401)] * 2), axis=-1).reshape(-1, 2)
    for name in KINDS:
        one = case(name, (1, 1), datasets=10, draws=10)
        for exact in (True, False):
            total = np.exp(one.log_density(grid, np.zeros(2), exact=exact)).sum() * 0.05**2 / (2 * np.pi)
            assert total == pytest.approx(1, abs=1e-3)


def test_the_command_goes_on_where_it_ended(tmp_path, capsys):
    out = tmp_path / "rates.jsonl"
    given = ["--out", str(out), "--repetitions", "2", "--diagnostics", "negative_log_density", "quantile_calibration"]
    detection_rates.main(given)
    lines = out.read_text("utf-8").splitlines()
    assert len(lines) == 2 * len(KINDS)
    out.write_text("\n".join(lines[:7]) + "\n", "utf-8")
    detection_rates.main(given)
    again = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["alarms"] for row in again] == [json.loads(line)["alarms"] for line in lines]
    assert "negative_log_density" in capsys.readouterr().out
