"""Workers of other tools: what can be known without those tools."""

import ast
import json
import py_compile
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sbicore_benchmarks import peers
from sbicore_benchmarks.environments import PEERS

FOLDER = Path(peers.__file__).parent
JOB = {"method": "copy", "steps": 20, "batch_size": 64, "validation_fraction": 0.1, "draws": 5, "densities": 3}
WORKER = """
import _job
print("noise")

def work(job, data):
    print("more noise")
    def draw(row):
        return data.parameters[: job["draws"]] + row
    densities = []
    facts = {
        **_job.epoch_facts([5.0, 1.0, 3.0, 2.0], steps=8),
        **_job.sampling_facts(job, data, draw),
        **_job.density_facts(job, data, lambda parameters, row: densities.append((len(parameters), row.tolist()))),
    }
    return {**facts, "epochs_asked": _job.epochs_for(job, len(data.parameters)), "densities": densities}

_job.run(work, packages=("numpy",))
"""


@pytest.fixture
def job(tmp_path):
    """Does a job with a worker of four lines; returns its facts and draws."""
    rng = np.random.default_rng(1)
    arrays = {"parameters": (512, 2), "observables": (512, 3), "observed": (4, 2)}
    data = {name: rng.normal(size=shape).astype(np.float32) for name, shape in arrays.items()}
    np.savez(tmp_path / "data.npz", **data)

    def do(worker=WORKER, **changes):
        (tmp_path / "worker.py").write_text(worker)
        settings = {**JOB, "data": str(tmp_path / "data.npz"), "out": str(tmp_path / "draws"), **changes}
        (tmp_path / "job.json").write_text(json.dumps(settings))
        worker_path = str(tmp_path / "worker.py")
        code = f"import sys, runpy; sys.path.insert(0, {str(FOLDER)!r}); runpy.run_path({worker_path!r})"
        command = [sys.executable, "-c", code, str(tmp_path / "job.json")]
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        assert process.returncode == 0, process.stderr
        return json.loads(process.stdout.splitlines()[-1]), np.load(tmp_path / "draws"), data, process

    return do


def test_the_last_line_is_the_facts_and_noise_goes_elsewhere(job):
    facts, _, _, process = job()
    assert "more noise" in process.stderr
    assert "more noise" not in process.stdout
    assert facts["versions"] == {"numpy": np.__version__}
    assert facts["evaluations"] is None


def test_draws_of_all_observed_rows_are_written(job):
    facts, draws, data, _ = job()
    assert draws.dtype == np.float32
    assert np.array_equal(draws, data["parameters"][None, :5] + data["observed"][:, None])
    assert len(facts["sampling_seconds"]) == 4


def test_draws_of_another_shape_are_refused(job):
    with pytest.raises(AssertionError, match=r"expected draws of shape \(5, 2\), got \(4, 2\)"):
        job(WORKER.replace('job["draws"]', "4"))


def test_steps_become_whole_epochs_of_the_rows_that_are_left(job):
    assert job()[0]["epochs_asked"] == 3  # 460 rows are 7 batches
    assert job(steps=1)[0]["epochs_asked"] == 1
    assert job(batch_size=4096)[0]["epochs_asked"] == 20


def test_the_first_epoch_is_left_out_of_the_step(job):
    facts, *_ = job()
    assert (facts["epochs"], facts["steps"], facts["first_epoch_seconds"]) == (4, 8, 5.0)
    assert facts["step_ms"] == 1000.0  # the median of 1, 3 and 2 seconds, two steps each


def test_densities_are_of_training_rows_given_the_first_observed(job):
    facts, _, data, _ = job()
    assert facts["densities"] == [[3, data["observed"][0].tolist()]] * 2
    assert facts["density_seconds"] >= 0
    assert job(densities=0)[0]["density_seconds"] is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems tell the peak in another way")
def test_peak_memory_is_that_of_the_worker_and_not_of_who_started_it():
    code = f"import sys; sys.path.insert(0, {str(FOLDER)!r}); import _job; print(_job.peak_memory())"
    start = (
        f"import numpy, subprocess, sys; x = numpy.ones(5 * 10**7); subprocess.run([sys.executable, '-c', {code!r}])"
    )
    process = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=True)
    assert 5 < float(process.stdout) < 400


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.name)
def test_workers_compile_and_import_nothing_of_ours(path, tmp_path):
    py_compile.compile(str(path), cfile=str(tmp_path / "compiled"), doraise=True)
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    imported = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in imported if name.startswith("sbicore")]
    assert not [node for node in nodes if isinstance(node, ast.ImportFrom) and node.level]


@pytest.mark.parametrize("peer", PEERS.values(), ids=PEERS)
def test_every_requirement_is_pinned(peer):
    first, *lines = peer.requirements.read_text(encoding="utf-8").splitlines()
    assert re.match(rf"# .*Python 3\.{peer.python[1]}\b", first)
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[0-9][0-9a-z.]*", line) for line in lines)
    names = [line.partition("==")[0].lower() for line in lines]
    assert len(names) == len(set(names))
    backend = {"sbi": "torch", "bayesflow_torch": "torch", "bayesflow_jax": "jax"}[peer.name]
    assert {backend, peer.name.partition("_")[0]} <= set(names)
    assert "torch" not in names or "torch==2.13.0" in lines
