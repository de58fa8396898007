"""Environments of peers: made once and only whole, found again, and missing with a reason."""

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from sbicore_benchmarks import environments
from sbicore_benchmarks.environments import PEERS, Peer, PeerUnavailable, environment

OWN = sys.version_info[:2]


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """An empty cache, no package index, and no Python but our own."""
    monkeypatch.setenv("SBICORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for name in ("PIP_FIND_LINKS", "PIP_CONSTRAINT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    return tmp_path / "cache" / "peers"


@pytest.fixture
def peer(tmp_path):
    """A tool that needs nothing."""
    requirements = tmp_path / "nothing.txt"
    requirements.write_text("# nothing\n")
    return Peer("nothing", requirements, tmp_path / "worker.py", OWN, ("draw",), {})


@pytest.fixture
def calls(monkeypatch):
    """The commands that make an environment, replaced by quick ones: venv writes a file, pip does nothing."""
    made = []

    def run(command, **options):
        if "-m" not in command:
            return subprocess.CompletedProcess(command, 0, f"{OWN[0]}.{OWN[1]}.0\n", "")
        made.append(command[3])
        time.sleep(0.05)
        if command[3] == "venv":
            python = Path(command[4], "Scripts/python.exe" if os.name == "nt" else "bin/python")
            python.parent.mkdir(parents=True)
            python.touch()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(environments.subprocess, "run", run)
    return made


def script(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_an_environment_is_made_once_and_is_not_ours(peer, cache, capfd):
    python = environment(peer)
    assert cache in python.parents
    asked = [str(python), "-c", "import sys; print(sys.prefix != sys.base_prefix, sys.version_info[:2])"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == f"True {OWN}\n"
    assert capfd.readouterr().err == "making the environment of nothing (once, a few minutes) ...\n"
    assert environment(peer) == python
    assert capfd.readouterr().err == ""


def test_what_pip_cannot_find_makes_the_peer_unavailable(peer, cache):
    peer.requirements.write_text("no-such-package-of-sbicore==1.0\n")
    found = r"environment of nothing cannot be made: ERROR: No matching distribution found for no-such-package.*\n"
    with pytest.raises(PeerUnavailable, match=found + r".*leave this peer out\.$"):
        environment(peer)
    assert not [path for path in cache.iterdir() if path.is_dir()]


def test_other_requirements_have_another_environment(peer, calls):
    first = environment(peer)
    peer.requirements.write_text("# nothing else\n")
    assert environment(peer) != first
    assert first.exists()


def test_a_half_made_environment_is_made_again(peer, calls, cache, monkeypatch):
    def killed(*arguments):
        make(*arguments)
        raise KeyboardInterrupt

    make = environments._make
    monkeypatch.setattr(environments, "_make", killed)
    with pytest.raises(KeyboardInterrupt):
        environment(peer)
    (left,) = cache.glob("nothing-*/*")
    monkeypatch.setattr(environments, "_make", make)
    python = environment(peer)
    assert calls == ["venv", "pip"] * 2
    assert not left.exists()
    assert left not in python.parents


def test_an_environment_whose_python_is_gone_is_made_again(peer, calls):
    environment(peer).unlink()
    assert environment(peer).exists()
    assert calls == ["venv", "pip"] * 2


def test_an_empty_mark_is_no_environment(peer, calls, cache):
    environment(peer)
    (mark,) = cache.glob("nothing-*/finished")
    mark.write_text("")
    assert environment(peer).is_absolute()
    assert calls == ["venv", "pip"] * 2


def test_runs_at_the_same_time_make_one_environment(peer, calls):
    pythons = []
    runs = [threading.Thread(target=lambda: pythons.append(environment(peer))) for _ in range(8)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert calls == ["venv", "pip"]
    assert len(pythons) == 8 and len(set(pythons)) == 1


def test_a_cache_that_cannot_be_written_makes_the_peer_unavailable(peer, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(PeerUnavailable, match="environment of nothing cannot be made: .*cache"):
        environment(peer)


def test_without_a_python_new_enough_the_peer_is_unavailable(peer):
    newer = peer._replace(python=(3, environments.NEWEST))
    with pytest.raises(PeerUnavailable, match=rf"(?s)nothing needs Python 3\.{environments.NEWEST} or newer.*on PATH"):
        environment(newer)


@pytest.mark.skipif(os.name == "nt", reason="the shims are shell scripts")
def test_pythons_that_do_not_work_are_passed_over(peer, tmp_path, monkeypatch):
    monkeypatch.setattr(environments.sys, "executable", "")
    minor = OWN[1] + 1
    name = f"python3.{minor}"
    peer = peer._replace(python=(3, minor))
    monkeypatch.setattr(environments, "NEWEST", minor)
    script(tmp_path / "bin" / name, "echo 'pyenv: command not found' >&2; exit 127")
    with pytest.raises(PeerUnavailable):
        environments._find_python(peer)
    script(tmp_path / "pyenv" / "versions" / "1" / "bin" / name, "echo 3.7.2")
    with pytest.raises(PeerUnavailable):
        environments._find_python(peer)
    script(tmp_path / "pyenv" / "versions" / "1" / "bin" / name, f"echo 3.{minor}.2; exit 1")
    with pytest.raises(PeerUnavailable):
        environments._find_python(peer)
    works = script(tmp_path / "pyenv" / "versions" / "2" / "bin" / name, f"echo 3.{minor}.2")
    assert environments._find_python(peer) == (works, f"3.{minor}.2")


@pytest.mark.skipif(os.name == "nt", reason="the pythons are shell scripts")
def test_the_oldest_python_that_is_new_enough_is_taken(peer, tmp_path, monkeypatch):
    monkeypatch.setattr(environments.sys, "executable", "")
    pythons = {minor: script(tmp_path / "bin" / f"python3.{minor}", f"echo 3.{minor}.1") for minor in (10, 12, 13)}
    assert environments._find_python(peer._replace(python=(3, 11))) == (pythons[12], "3.12.1")


def test_peers_have_their_files():
    assert set(PEERS) == {"sbi", "bayesflow_torch", "bayesflow_jax"}
    for name, peer in PEERS.items():
        assert peer.name == name
        assert peer.requirements.is_file() and peer.worker.is_file()
        assert peer.methods


def test_peers_are_described_without_torch():
    code = "import sys, sbicore_benchmarks.environments; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
