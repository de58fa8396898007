"""The benchmark commands from end to end, with tiny settings, and that they go on where they stopped."""

import json
import sys

import numpy as np
import pytest
from sbicore_benchmarks import _problems, conditioning, speed, two_moons
from sbicore_benchmarks._training import epochs_for

from sbicore.errors import SbicoreError

TINY = ["--simulations", "400", "--batch-size", "64", "--steps", "10"]


def rows(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def refuse(*args, **kwargs):
    raise AssertionError("a finished row was measured again")


def test_two_moons(wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(two_moons, "DRAWS", 100)
    out = tmp_path / "results.jsonl"
    arguments = [*TINY, "--out", str(out), "--observations"]
    two_moons.main([*arguments, "1"])
    two_moons.main([*arguments, "1", "2"])
    monkeypatch.setattr(two_moons, "train", refuse)
    two_moons.main([*arguments, "1", "2"])
    assert [row["settings"]["observation"] for row in rows(out)] == [1, 2]
    for row in rows(out):
        results = row["results"]
        assert 0.5 < results["c2st"] <= 1.0
        assert results["steps"] >= 10
        assert results["evaluations"] > 0
        assert results["parameters"] > 100_000
    assert "| observation | c2st" in capsys.readouterr().out


def test_conditioning(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(conditioning, "DRAWS", 100)
    monkeypatch.setattr(_problems, "DRAWS", 100)
    monkeypatch.setattr(_problems, "OBSERVATIONS", 1)
    out = tmp_path / "conditioning.jsonl"
    arguments = [*TINY, "--problems", "linear_gaussian", "--seeds", "1", "--out", str(out)]
    conditioning.main(arguments)
    monkeypatch.setattr(conditioning, "train", refuse)
    conditioning.main(arguments)
    assert [row["settings"]["conditioning"] for row in rows(out)] == list(conditioning.CONDITIONINGS)
    sizes = {row["settings"]["conditioning"]: row["results"]["parameters"] for row in rows(out)}
    assert sizes["film"] > sizes["time_film"] > sizes["time_film, shift alone"] > sizes["concat"]
    assert all(np.isfinite(row["results"]["held_out_loss"]) for row in rows(out))
    assert "linear_gaussian" in capsys.readouterr().out


def test_speed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(speed, "WORK", {"epochs": 2, "batch_size": 128, "draws": 50})
    monkeypatch.setattr(speed, "ROWS", 256)
    eager = speed.own_contenders()[0]
    monkeypatch.setattr(speed, "own_contenders", lambda: [eager])
    out = tmp_path / "speed.jsonl"
    speed.main(["--rounds", "1", "--out", str(out)])
    monkeypatch.setattr(speed, "measure", refuse)
    speed.main(["--rounds", "1", "--out", str(out)])
    (row,) = rows(out)
    assert row["results"]["step_ms"] > 0
    assert row["results"]["draw_seconds"] > 0
    assert row["results"]["parameters"] == speed.network_size({})
    assert "sbicore default eager" in capsys.readouterr().out


def test_matched_networks_have_as_many_parameters():
    for parameters in speed.PEER_PARAMETERS:
        width = speed.matched_width(parameters)
        assert speed.network_size({"widths": [width - 16] * 5}) < parameters
        assert speed.network_size({"widths": [width] * 5}) >= parameters
        assert speed.equal(speed.network_size({"widths": [width] * 5}), parameters)


def test_ratios_at_unequal_size_are_bracketed():
    ours = {"parameters": 500, "network": "a", "step_ms": 2.0, "draw_seconds": 1.0}
    small = {"parameters": 540, "network": "b", "step_ms": 8.0, "draw_seconds": 3.0}
    large = {"parameters": 900, "network": "c", "step_ms": 6.0, "draw_seconds": 3.0}
    text = speed.report({"ours": ours, "small": small, "large": large}, peers=["small", "large"])
    assert "| ours | 4.00  | (3.00) |" in text


def test_a_failed_measurement_says_why(tmp_path):
    broken = speed.Contender("broken", (sys.executable, "-c", "raise SystemExit('no backend')"), {}, "torch")
    with pytest.raises(SbicoreError, match="no backend"):
        speed.measure(broken, tmp_path)
    with pytest.raises(SbicoreError, match="has no BayesFlow"):
        speed.peer(sys.executable, "torch")


def test_steps_become_whole_epochs():
    assert epochs_for(20_000, 100_000, 256) == 54
    assert epochs_for(1, 100, 256) == 1
