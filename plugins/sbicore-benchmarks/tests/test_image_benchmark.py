"""`sbicore benchmark images` from end to end, with a peer that is made up."""

import json
import sys

import pytest
from attrs import evolve
from sbicore_benchmarks import beside, environments, images

from sbicore.cli import main

PEER = """
import json, sys
job = json.load(open(sys.argv[1]))
(name,) = job["networks"]
facts = {"parameters": 1234, "step_ms": 1e9, "evaluation_ms": 1e9, "above_mb": 1e6}
print(json.dumps({"networks": {name: facts}, "memory_mb": 1e6, "versions": {"peer": "1.0"}}))
"""


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    small = {"widths": [8, 8], "groups": 2, "res_blocks": 1, "num_heads": 2}
    networks = {"unet": {"arguments": small}, "uvit": {"arguments": {**small, "transformer_width": 8}}}
    shared = {
        **images.SHARED,
        "target": [4, 4, 1],
        "condition": [4, 4, 2],
        "batch_size": 4,
        "images": 3,
        "seconds": 0.0,
    }
    shared["training"] = {"rows": 12, "steps": 4, "learning_rate": 5e-4, "validation_fraction": 0.33}
    monkeypatch.setattr(images, "SHARED", shared)
    monkeypatch.setattr(images, "COMPARISON", evolve(images.COMPARISON, networks=networks))


def command(folder, *arguments):
    return main(["benchmark", "images", "--threads=1", "--rounds=1", f"--out={folder}", *arguments])


def rows(folder):
    return [json.loads(line) for line in (folder / "images.jsonl").read_text().splitlines()]


def test_each_network_is_measured_in_a_process_of_its_own(tmp_path, monkeypatch, capsys):
    (tmp_path / "bayesflow_images.py").write_text(PEER)
    monkeypatch.setattr(beside.peers, "__file__", str(tmp_path / "__init__.py"))
    monkeypatch.setattr(beside, "environment", lambda peer: sys.executable)
    assert command(tmp_path, "--peer", "bayesflow_jax", "--draws", "5") == 0
    measured = [row["results"] for row in rows(tmp_path) if row["settings"]["tool"] == "sbicore"]
    assert [row["settings"]["network"] for row in rows(tmp_path)] == ["unet", "uvit"] * 2
    for found in measured:
        assert found["steps"] == 4
        assert found["evaluations"] > 3
        assert min(found[measure] for measure in images.COMPARISON.measures) > 0
        assert found["above_mb"] < found["memory_mb"]
    assert "| bayesflow jax | 1,234" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--draws", "0"], "--draws must be at least 1"), (["--network", "u_vit"], "did you mean 'uvit'")],
)
def test_bad_input(arguments, said, tmp_path, capsys):
    assert command(tmp_path, *arguments) == 1
    assert said in capsys.readouterr().err


def test_every_network_has_a_class_at_the_peer():
    text = (environments.HERE / "bayesflow_images.py").read_text(encoding="utf-8")
    assert all(f'"{name}": "' in text for name in images.NETWORKS)
