"""Saving and loading: identical numbers in a fresh process, and files that are not artifacts."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import sbicore
from sbicore.artifact import FORMAT, checksum
from sbicore.errors import ArtifactError, ConfigError, NotBuiltError, UnknownComponentError

QUIET = {"progress": False}


@pytest.fixture
def saved(trained, tmp_path):
    trained.save(tmp_path / "model.sbi")
    return tmp_path / "model.sbi"


def header_of(path):
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["sbicore"])


def rewrite(path, change):
    header = header_of(path)
    change(header)
    text, tensors = json.dumps(header), load_file(path)
    save_file(tensors, path, metadata={"sbicore": text, "sbicore_checksum": checksum(text, tensors)})


def test_a_fresh_process_gives_identical_numbers(trained, saved, tmp_path):
    script = f"""
import numpy as np, sbicore
model = sbicore.load({str(saved)!r})
np.savez({str(tmp_path / "out.npz")!r},
    draws=model.sample({{"x": [0.3, -0.2]}}, 50, seed=4, progress=False)["theta"],
    density=model.log_prob({{"theta": [[0.1, 0.2]], "x": [0.3, -0.2]}}, progress=False))
"""
    subprocess.run([sys.executable, "-c", script], check=True, cwd=tmp_path)
    with np.load(tmp_path / "out.npz") as found:
        draws = trained.sample({"x": [0.3, -0.2]}, 50, seed=4, **QUIET)["theta"]
        assert np.array_equal(found["draws"], draws)
        assert np.array_equal(found["density"], trained.log_prob({"theta": [[0.1, 0.2]], "x": [0.3, -0.2]}, **QUIET))


def test_the_history_and_the_standardiser_come_along(trained, saved, linear_data):
    model = sbicore.load(saved)
    assert model.history == trained.history
    mean = model.standardizers["inference_variables"].mean.clone()
    model.fit({name: value + 5 for name, value in linear_data.items()}, epochs=1, **QUIET)
    assert torch.equal(mean, model.standardizers["inference_variables"].mean)


def test_adapter_and_bounds_come_along(tmp_path):
    rng = np.random.default_rng(0)
    theta = rng.uniform(1, 2, size=300)
    model = sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [16]},
        adapter=sbicore.Adapter().log("x").rename("x", "inference_conditions"),
        inference_variables=["theta"],
        bounds={"theta": (1.0, 2.0)},
    )
    model.fit({"theta": theta, "x": np.exp(theta)[:, None]}, epochs=1, seed=1, **QUIET)
    model.save(tmp_path / "m.sbi")
    again = sbicore.load(tmp_path / "m.sbi")
    expected = model.sample({"x": [3.0]}, 20, seed=1, **QUIET)["theta"]
    assert np.array_equal(again.sample({"x": [3.0]}, 20, seed=1, **QUIET)["theta"], expected)


def test_the_header_names_plugins_and_versions(saved):
    header = header_of(saved)
    assert header["format"] == FORMAT
    assert header["plugins"]["subnet/time_mlp"][0] == "sbicore-mlp"
    assert header["plugins"]["inference_network/flow_matching"][0] == "sbicore-flow-matching"
    assert header["inference_network"]["subnet"]["widths"] == [32, 32]


def test_saving_replaces_whole_files_only(trained, saved, monkeypatch):
    before = saved.read_bytes()

    def fails(path, content):
        with path.open("wb") as file:
            file.write(content[:4])
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.write_bytes", fails)
    with pytest.raises(OSError, match="disk full"):
        trained.save(saved)
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == [saved.name]


def test_an_untrained_model_cannot_be_saved(tmp_path):
    with pytest.raises(NotBuiltError):
        sbicore.build("flow_matching").save(tmp_path / "x.sbi")


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ArtifactError, match="no file"):
        sbicore.load(tmp_path / "none.sbi")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x00" * 100, b"PK\x03\x04pickled"])
def test_foreign_files_are_refused(tmp_path, content):
    (tmp_path / "x.sbi").write_bytes(content)
    with pytest.raises(ArtifactError, match="damaged, cut short, or no sbicore artifact"):
        sbicore.load(tmp_path / "x.sbi")


def test_foreign_safetensors_are_refused(tmp_path):
    save_file({"a": torch.zeros(2)}, tmp_path / "x.sbi")
    with pytest.raises(ArtifactError, match="not written by sbicore"):
        sbicore.load(tmp_path / "x.sbi")


def test_a_truncated_file_is_refused(saved):
    saved.write_bytes(saved.read_bytes()[:-100])
    with pytest.raises(ArtifactError, match="cut short"):
        sbicore.load(saved)


@pytest.mark.parametrize("place", [-3, -5000])
def test_a_changed_weight_is_refused(saved, place):
    content = bytearray(saved.read_bytes())
    content[place] ^= 1
    saved.write_bytes(content)
    with pytest.raises(ArtifactError, match="is damaged"):
        sbicore.load(saved)


def test_a_changed_description_is_refused(saved):
    content = saved.read_bytes()
    saved.write_bytes(content.replace(b"epochs", b"epoch5", 1).replace(b"transform", b"transfarm", 1))
    with pytest.raises(ArtifactError, match="is damaged"):
        sbicore.load(saved)


def test_a_newer_format_is_refused(saved):
    rewrite(saved, lambda header: header.update(format=FORMAT + 1))
    with pytest.raises(ArtifactError, match="pip install --upgrade sbicore"):
        sbicore.load(saved)


def test_a_damaged_description_is_refused(saved):
    rewrite(saved, lambda header: header.pop("roles"))
    with pytest.raises(ArtifactError, match="does not fit"):
        sbicore.load(saved)


def test_weights_of_another_network_are_refused(saved):
    rewrite(saved, lambda header: header["inference_network"]["subnet"].update(widths=[8]))
    with pytest.raises(ArtifactError, match="weights do not fit"):
        sbicore.load(saved)


def test_a_missing_plugin_is_named(saved):
    def elsewhere(header):
        header["inference_network"]["subnet"]["name"] = "acme_net"
        header["plugins"]["subnet/acme_net"] = ["acme-sbi", "0.3.1"]

    rewrite(saved, elsewhere)
    with pytest.raises(UnknownComponentError, match="acme-sbi 0.3.1"):
        sbicore.load(saved)


def test_a_disabled_plugin_is_named(saved, monkeypatch):
    monkeypatch.setenv("SBICORE_DISABLE", "sbicore-mlp")
    with pytest.raises(UnknownComponentError, match="switched off"):
        sbicore.load(saved)


class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(5, 7)

    def forward(self, joined):
        return self.net(joined)


def test_own_modules_are_asked_for_and_filled(linear_data, tmp_path):
    model = sbicore.build(
        "flow_matching",
        subnet=sbicore.wrap(Mine(), call="x"),
        inference_variables=["theta"],
        inference_conditions=["x"],
    )
    model.fit(linear_data, epochs=1, seed=1, **QUIET)
    model.save(tmp_path / "m.sbi")
    with pytest.raises(NotBuiltError, match=r"modules=\{'\$.subnet': Mine\(\.\.\.\)\}"):
        sbicore.load(tmp_path / "m.sbi")
    with pytest.raises(ConfigError, match=r"did you mean '\$.subnet'"):
        sbicore.load(tmp_path / "m.sbi", modules={"$.subnt": Mine()})
    again = sbicore.load(tmp_path / "m.sbi", modules={"$.subnet": Mine()})
    x = {"x": [0.1, 0.2]}
    assert np.array_equal(again.sample(x, 5, seed=1, **QUIET)["theta"], model.sample(x, 5, seed=1, **QUIET)["theta"])


def test_a_folder_is_no_file(trained, tmp_path):
    with pytest.raises(ArtifactError, match=r"is a folder; give the name of a file"):
        trained.save(tmp_path)
    with pytest.raises(ArtifactError, match="no folder"):
        trained.save(tmp_path / "none" / "m.sbi")
    with pytest.raises(ArtifactError, match="is a folder"):
        sbicore.load(tmp_path)


def test_others_can_read_what_the_umask_allows(trained, tmp_path):
    import os

    before = os.umask(0o022)
    try:
        trained.save(tmp_path / "m.sbi")
    finally:
        os.umask(before)
    assert (tmp_path / "m.sbi").stat().st_mode & 0o777 == 0o644


def test_a_function_of_the_script_is_warned_of(tmp_path):
    script = """
import warnings, numpy as np, sbicore
def double(x): return 2 * x
def half(x): return x / 2
theta = np.random.default_rng(0).normal(size=300)
adapter = sbicore.Adapter().apply("theta", double, half).apply("x", "tanh")
roles = {"inference_variables": ["theta"], "inference_conditions": ["x"]}
model = sbicore.build("flow_matching", subnet_kwargs={"widths": [8]}, adapter=adapter, **roles)
model.fit({"theta": theta, "x": theta}, epochs=1, progress=False)
model.save("m.sbi")
"""
    (tmp_path / "script.py").write_text(script)
    found = subprocess.run([sys.executable, "script.py"], check=True, cwd=tmp_path, capture_output=True, text=True)
    assert "ArtifactWarning: m.sbi needs __main__:double, __main__:half, which only this script has" in found.stderr
