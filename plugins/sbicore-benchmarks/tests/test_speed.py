"""`sbicore benchmark speed` from end to end, on tiny trainings."""

import json

import pytest
from sbicore_benchmarks import contenders, speed
from sbicore_benchmarks.environments import PeerUnavailable

from sbicore.cli import main


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    monkeypatch.setattr(speed, "ROWS", 256)
    monkeypatch.setattr(speed, "FIT", {**speed.FIT, "epochs": 2})
    monkeypatch.setattr(speed, "DRAWS", 50)
    monkeypatch.setattr(speed, "DENSITIES", 5)


def refuse(*args, **kwargs):
    raise AssertionError("a finished row was measured again")


def test_rows_and_table(wheel, tmp_path, monkeypatch, capsys):
    def unavailable(peer):
        raise PeerUnavailable(f"The environment of {peer.name} cannot be made: no connection")

    monkeypatch.setattr(contenders, "environment", unavailable)
    command = ["benchmark", "speed", "--rounds=1", "--threads=1", f"--out={tmp_path}", "--peer"]
    monkeypatch.setattr(speed, "COMPILE", ("never",))
    assert main(command) == 0
    (row,) = [json.loads(line) for line in (tmp_path / "speed.jsonl").read_text().splitlines()]
    for name in speed.MEASURES:
        assert row["results"][name] > 0
    monkeypatch.setattr(speed, "measure", refuse)
    assert main([*command, "sbi.npe"]) == 1
    report = capsys.readouterr().out
    assert "| sbicore flow_matching | 429,330" in report
    assert "- sbi.npe: The environment of sbi cannot be made: no connection" in report


def test_ratios_are_of_the_same_round():
    ours = [{"step_ms": 2.0, "parameters": 1, "network": "a"}, {"step_ms": 4.0, "parameters": 1, "network": "a"}]
    peer = [{"step_ms": 8.0, "parameters": 1, "network": "b"}, {"step_ms": 12.0, "parameters": 1, "network": "b"}]
    text = speed.report({"ours": ours, "peer": peer}, own=["ours"])
    assert "| peer | 3.5 (3 to 4)" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "--rounds must be at least 1"),
        (["--peer", "sbi.nppe"], "did you mean 'sbi.npe'"),
        (["--network", "flow_machting"], "did you mean 'flow_matching'"),
    ],
)
def test_bad_input(arguments, said, tmp_path, capsys):
    assert main(["benchmark", "speed", f"--out={tmp_path}", *arguments]) == 1
    assert said in capsys.readouterr().err
