"""`sbicore benchmark evaluations` from end to end, on a tiny training."""

import json

import numpy as np
import pytest
from sbicore_benchmarks import evaluations

from sbicore.cli import main

TINY = ["--task=two_moons", "--budget=1e3", "--preset=none", '--fit={"steps": 20, "batch_size": 64}', "--draws=100"]
NARROW = '--hyperparameters={"subnet_kwargs": {"widths": [8]}}'
REFERENCE = '--reference={"method": "rk4", "steps": 20}'


def command(out, *arguments):
    chosen = [*TINY, NARROW, REFERENCE, "--observation", "1", "--threads=1", f"--out={out}", *arguments]
    return main(["benchmark", "evaluations", *chosen])


def rows(out):
    return [json.loads(line) for line in (out / "evaluations.jsonl").read_text().splitlines()]


def test_rows_table_and_figure(wheel, tmp_path, capsys):
    same, coarse = '{"method": "rk4", "steps": 20}', '{"method": "euler", "steps": 2}'
    assert command(tmp_path, "--seed=1", "--options", same, coarse) == 0
    found = [row["results"] for row in rows(tmp_path)]
    assert [results["evaluations"] for results in found] == [80, 2]
    assert found[0]["rms"] == found[0]["mean"] == found[0]["deviation"] == 0
    assert found[1]["rms"] > 1e-3
    assert all(0.3 < results["c2st"] <= 1.0 for results in found)
    assert all(0.7 < results["accuracy"] <= 1.0 for results in found)  # 20 steps have learnt little
    report = capsys.readouterr().out
    assert report.startswith((tmp_path / "evaluations.md").read_text())
    assert "rk4, 20" in report and "euler, 2" in report
    assert (tmp_path / "evaluations.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_finished_is_not_done_again(wheel, scored_roughly, tmp_path, monkeypatch):
    command(tmp_path, "--seed=1", "--options", '{"steps": 2}')
    before = rows(tmp_path)
    monkeypatch.setattr("sbicore.build", None)
    assert command(tmp_path, "--seed=1", "--options", '{"steps": 2}', '{"steps": 3}') == 0
    assert rows(tmp_path)[:1] == before and len(rows(tmp_path)) == 2


def test_distances_are_of_pairs_in_deviations():
    long = np.random.default_rng(1).normal(size=(20_000, 2)) * [1.0, 10.0]
    found = evaluations._distances(long + np.array([0.1, 1.0]), long)
    assert found == pytest.approx({"rms": 0.1, "mean": 0.1, "deviation": 0.0}, abs=2e-3)
    assert evaluations._distances(1.2 * long, long)["deviation"] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ("--options={}", None),
        ('--options={"method": "eulr"}', "euler"),
        ('--options={"stepz": 3}', "steps"),
        ("--budget=online", "given simulations"),
        ("--observation=11", "1 to 10"),
        ("--draws=0", "at least 1"),
        ("--task=two_moon", "two_moons"),
        ("--network=flow_match", "flow_matching"),
    ],
)
def test_what_is_typed_is_checked_before_training(argument, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(evaluations, "_trained", None)
    if said is not None:
        assert command(tmp_path, argument) != 0
        assert said in capsys.readouterr().err
