"""`sbicore benchmark summaries` from end to end, with a peer that is made up."""

import json
import sys

import pytest
from attrs import evolve
from sbicore_benchmarks import beside, environments, summaries
from sbicore_benchmarks.environments import PeerUnavailable

from sbicore.cli import main

PEER = """
import json, sys
job = json.load(open(sys.argv[1]))
facts = {name: {"parameters": 1234, "forward_ms": 1e9, "both_ms": 1e9} for name in job["networks"]}
print(json.dumps({"networks": facts, "versions": {"peer": "1.0"}}))
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    training = {**summaries.SHARED["training"], "rows": 64, "steps": 30}
    shared = {"batch_size": 4, "seconds": 0.0, "training": training}
    monkeypatch.setattr(summaries, "COMPARISON", evolve(summaries.COMPARISON, shared=shared))


@pytest.fixture
def fake(tmp_path, monkeypatch):
    (tmp_path / "bayesflow_summaries.py").write_text(PEER)
    monkeypatch.setattr(beside.peers, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(beside, "environment", lambda peer: sys.executable)


def command(folder, *arguments):
    return main(["benchmark", "summaries", "--threads=1", f"--out={folder}", *arguments])


def rows(folder):
    return [json.loads(line) for line in (folder / "summaries.jsonl").read_text().splitlines()]


def test_each_network_is_called_and_point_network_trained(tmp_path, capsys):
    assert command(tmp_path, "--rounds=1", "--peer") == 0
    measured = {row["settings"]["network"]: row for row in rows(tmp_path)}
    assert list(measured) == list(summaries.NETWORKS)
    for name, row in measured.items():
        times = ["step_ms"] if name == "point_network" else ["forward_ms", "both_ms"]
        assert all(row["results"][time] > 0 for time in times)
        assert row["results"]["parameters"] > 10_000
        assert "sbicore" in row["results"]["versions"]
        assert "commit" in row["environment"]
    assert "| deep_set" in capsys.readouterr().out


def test_what_is_finished_is_not_measured_again(fake, tmp_path, monkeypatch, capsys):
    chosen = ("--network", "deep_set", "--peer", "bayesflow_torch")
    assert command(tmp_path, "--rounds=1", *chosen) == 0
    labels = [row["settings"]["tool"] for row in rows(tmp_path)]
    assert labels == ["sbicore", "bayesflow_torch"]
    first = rows(tmp_path)
    assert command(tmp_path, "--rounds=2", *chosen, "--network", "deep_set", "set_transformer") == 0
    assert rows(tmp_path)[:2] == first
    order = [(row["settings"]["round"], row["settings"]["tool"], row["settings"]["network"]) for row in rows(tmp_path)]
    assert order[2:] == [
        (1, "sbicore", "set_transformer"),
        (1, "bayesflow_torch", "set_transformer"),
        (2, "sbicore", "deep_set"),
        (2, "sbicore", "set_transformer"),
        (2, "bayesflow_torch", "deep_set"),
        (2, "bayesflow_torch", "set_transformer"),
    ]
    monkeypatch.setattr(beside, "run_worker", None)
    assert command(tmp_path, "--rounds=2", *chosen) == 0
    assert "bayesflow torch | 1,234" in capsys.readouterr().out


def test_ratios_are_of_the_same_round_and_of_what_both_have():
    ours = [{"parameters": 1, "forward_ms": 2.0, "both_ms": 4.0}, {"parameters": 1, "forward_ms": 4.0, "both_ms": 8.0}]
    peer = [{"parameters": 2, "forward_ms": 8.0, "both_ms": 4.0}, {"parameters": 2, "forward_ms": 12.0, "both_ms": 8.0}]
    text = beside.report(summaries.COMPARISON, {"deep_set": {"sbicore": ours, "bayesflow torch": peer}})
    cells = [cell.strip() for cell in text.splitlines()[-1].split("|")]
    assert cells[2:9] == ["bayesflow torch", "2", "10", "6", "", "3.5 (3 to 4)", "1 (1 to 1)"]


def test_a_peer_that_fails_or_cannot_be_had_is_named(fake, tmp_path, monkeypatch):
    def environment(peer):
        if peer.name == "bayesflow_jax":
            raise PeerUnavailable("no Python is new enough")
        return sys.executable

    (tmp_path / "bayesflow_summaries.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(beside, "environment", environment)
    assert command(tmp_path, "--rounds=1", "--network", "deep_set") == 1
    text = (tmp_path / "summaries.md").read_text()
    assert "- bayesflow torch: The process of bayesflow torch failed (exit status 3)" in text
    assert "- bayesflow_jax: no Python is new enough" in text
    assert len(rows(tmp_path)) == 1


def test_every_network_has_a_class_at_the_peer():
    assert set(beside.PEER_NAMES) <= set(environments.PEERS)
    text = (environments.HERE / "bayesflow_summaries.py").read_text(encoding="utf-8")
    assert all(f'"{name}": "' in text for name in summaries.NETWORKS)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rounds", "0"], "--rounds must be at least 1"),
        (["--peer", "bayesflow_trch"], "did you mean 'bayesflow_torch'"),
        (["--network", "deepset"], "did you mean 'deep_set'"),
    ],
)
def test_bad_input(arguments, said, tmp_path, capsys):
    assert command(tmp_path, *arguments) == 1
    assert said in capsys.readouterr().err
