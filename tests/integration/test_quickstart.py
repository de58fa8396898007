"""The quickstart as a command: what it prints and writes, and how near it comes to a long MCMC run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import sbicore
from sbicore.cli import main, quickstart
from sbicore.examples import influenza

REFERENCE = json.loads(Path(__file__).with_name("influenza_mcmc.json").read_text("utf-8"))["quantities"]


def test_a_missing_plugin_is_named_in_one_command(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(quickstart, "_missing", lambda: ["sbicore-mlp", "sbicore-diagnostics"])
    assert main(["quickstart", "--out", str(tmp_path)]) == 1
    error = capsys.readouterr().err
    assert error.count("pip install") == 1
    assert "sbicore-mlp" in error.splitlines()[-1]
    assert "sbicore-diagnostics" in error.splitlines()[-1]


def test_it_prints_a_table_and_writes_a_figure_and_a_model(monkeypatch, capsys, tmp_path):
    def briefly(seed):
        model = sbicore.build(
            "flow_matching",
            adapter=sbicore.Adapter().log("in_bed", p1=True),
            subnet_kwargs={"widths": [32]},
            inference_variables=list(influenza.PARAMETERS),
            inference_conditions=["in_bed"],
            bounds=dict.fromkeys(influenza.PARAMETERS, (0.0, None)),
        )
        model.fit(influenza.simulator().sample(2000, seed=seed), epochs=3, seed=seed, progress=False)
        return model

    monkeypatch.setattr(quickstart, "train", briefly)
    assert main(["quickstart", "--out", str(tmp_path / "new"), "--seed", "3"]) == 0
    printed = capsys.readouterr().out
    assert "R0" in printed
    assert "recovery time" in printed
    assert (tmp_path / "new" / "quickstart.png").stat().st_size > 10_000
    assert sbicore.load(tmp_path / "new" / "quickstart.sbi").is_built


@pytest.mark.slow
def test_its_posterior_agrees_with_mcmc_within_two_minutes(tmp_path):
    """Medians of R0 and recovery time within 5 %, widths of the 90 % intervals within 20 %."""
    start = time.monotonic()
    subprocess.run([sys.executable, "-m", "sbicore", "quickstart", "--out", str(tmp_path)], check=True)
    seconds = time.monotonic() - start
    model = sbicore.load(tmp_path / "quickstart.sbi")
    draws = model.sample({"in_bed": influenza.IN_BED}, 20_000, seed=1, progress=False)
    found = {"R0": draws["beta"][0] / draws["gamma"][0], "recovery": 1 / draws["gamma"][0]}
    print(f"{seconds:.0f} s")
    for name, values in found.items():
        low, median, high = np.quantile(values, [0.05, 0.5, 0.95])
        exact = REFERENCE[name]
        width = (high - low) / (exact["q95"] - exact["q05"])
        print(f"{name}: median {median:.4f} ({median / exact['median'] - 1:+.2%}), width {width - 1:+.2%}")
        assert median == pytest.approx(exact["median"], rel=0.05)
        assert width == pytest.approx(1.0, abs=0.2)
    assert seconds < 120
