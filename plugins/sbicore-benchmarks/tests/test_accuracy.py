"""`sbicore benchmark accuracy` and `peers` from end to end, on tiny trainings."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from sbicore_benchmarks import accuracy, contenders, environments, study, worker
from sbicore_benchmarks.environments import PeerUnavailable
from sbicore_flow_matching import FlowMatching

from sbicore.approximators import ContinuousApproximator
from sbicore.cli import main
from sbicore.training import History

TINY = [
    "--suite=ci",
    "--preset=none",
    '--fit={"steps": 20, "batch_size": 64}',
    '--hyperparameters={"subnet_kwargs": {"widths": [8]}}',
    "--draws=200",
    "--threads=1",
]


def command(kind, out, *arguments):
    return main(["benchmark", kind, *TINY, f"--out={out}", *arguments])


def rows(out):
    return [json.loads(line) for line in (out / "accuracy.jsonl").read_text().splitlines()]


def test_rows_table_and_figure(wheel, tmp_path, capsys):
    assert command("accuracy", tmp_path, "--task", "two_moons", "gaussian_linear") == 0
    found = rows(tmp_path)
    assert [row["settings"]["task"] for row in found] == ["two_moons", "gaussian_linear"]
    for row in found:
        results = row["results"]
        assert 0.5 < results["c2st"] <= 1.0
        assert results["steps"] == 14  # an epoch of 950 rows in batches of 64 comes nearest to 20
        assert min(results[name] for name in ("evaluations", "memory_mb", "training_seconds", "step_ms")) > 0
        assert results["threads"] == 1
        assert row["environment"]["versions"]["sbicore"]
    report = capsys.readouterr().out
    assert report.startswith((tmp_path / "accuracy.md").read_text())
    assert "| mean " in report
    assert "bounds" not in found[1]["settings"]["arguments"]
    assert found[0]["settings"]["arguments"]["out_of_bounds"] == "reject"
    assert "BayesFlow flow matching (32,000,000)" in report
    assert (tmp_path / "accuracy.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_finished_is_not_done_again(wheel, untrained, tmp_path, monkeypatch):
    command("accuracy", tmp_path)
    before = rows(tmp_path)
    monkeypatch.setattr(study, "run_job", None)
    command("accuracy", tmp_path)
    assert rows(tmp_path) == before
    command("accuracy", tmp_path, "--published-c2st", "two_moons")  # scores the draws that were kept
    assert [row["settings"]["metric"] for row in rows(tmp_path)] == ["fast", "published"]


def test_a_run_killed_between_draws_and_score_goes_on(wheel, untrained, tmp_path, monkeypatch):
    def killed(self, unit, row):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(study.Study, "_score", killed)
        assert command("accuracy", tmp_path) == 130
    assert not (tmp_path / "accuracy.jsonl").exists()
    monkeypatch.setattr(study, "run_job", None)
    assert command("accuracy", tmp_path) == 0
    assert len(rows(tmp_path)) == 1


def test_a_process_killed_by_the_system_goes_on(wheel, untrained, tmp_path):
    """The first of three trainings has its score, and the second never ends."""
    script = (
        "import sys, time, numpy as np, sbicore_diagnostics\n"
        "from sbicore_benchmarks import study\n"
        "from sbicore.cli import main\n"
        "def train(contender, job, arrays):\n"
        "    time.sleep(600 if job['seed'] > 1 else 0)\n"
        "    names = 'steps step_ms training_seconds evaluations parameters memory_mb'.split()\n"
        "    return {**dict.fromkeys(names, 1), 'sampling_seconds': [1.0]}, np.zeros((1, job['draws'], 2))\n"
        "study.run_job, sbicore_diagnostics.c2st = train, lambda *_, **__: 0.75\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    arguments = ["benchmark", "accuracy", *TINY, f"--out={tmp_path}", "--seed", "1", "2", "3"]
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if line.startswith("[1/3]"):
            process.kill()
            break
    process.wait()
    process.stderr.close()
    assert [row["settings"]["seed"] for row in rows(tmp_path)] == [1]
    assert command("accuracy", tmp_path, "--seed", "1", "2", "3") == 0
    assert [row["settings"]["seed"] for row in rows(tmp_path)] == [1, 2, 3]


def test_online_training_has_no_data(wheel, scored_roughly, tmp_path):
    command("accuracy", tmp_path, "--budget", "online", '--fit={"steps": 4, "num_batches_per_epoch": 2}')
    (row,) = rows(tmp_path)
    assert row["settings"]["budget"] == "online"
    assert row["results"]["steps"] == 4


def test_the_preset_of_a_budget_is_spelt_out_in_the_rows(wheel, untrained, tmp_path, capsys):
    fit = '--fit={"steps": 2, "batch_size": 900}'
    assert main(["benchmark", "accuracy", "--suite=ci", fit, "--draws=100", "--threads=1", f"--out={tmp_path}"]) == 0
    small = FlowMatching.presets["small"]
    (row,) = rows(tmp_path)
    assert row["settings"]["arguments"]["subnet_kwargs"] == small.to_dict()["network"]["subnet_kwargs"]
    assert row["settings"]["fit"]["learning_rate"] == small.fit["learning_rate"]
    assert row["settings"]["fit"]["steps"] == 2
    assert "| sbicore flow_matching, small |" in capsys.readouterr().out


def test_budgets_and_observations_side_by_side(wheel, untrained, tmp_path, capsys):
    assert command("accuracy", tmp_path, "--budget", "200", "400", "--observation", "1", "2") == 0
    asked = [(row["settings"]["budget"], row["settings"]["observation"]) for row in rows(tmp_path)]
    assert asked == [(200, 1), (200, 2), (400, 1), (400, 2)]
    assert "## C2ST, 400 simulations" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "two_moon"], "There is no task 'two_moon'; did you mean 'two_moons'?"),
        (["--network", "flow_matchin"], "did you mean 'flow_matching'"),
        (["--budget", "onlin"], "did you mean 'online'"),
        (["--suite", "quik"], "did you mean 'quick'"),
        (["--preset", "larg"], "has no preset 'larg'"),
        (["--observation", "11"], "There is no observation 11"),
        (["--draws", "10"], "--draws takes 50 to 10000"),
        (["--seed", "-1"], "at least 0"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--fit", '{"step": 3}'], "did you mean 'steps'"),
        (["--hyperparameters", '{"subnt": 3}'], "did you mean 'subnet'"),
        (["--published-c2st", "slpc"], "did you mean 'slcp'"),
        (["--published-c2st", "slcp"], "not among the tasks"),
        (["--threads", "-1"], "--threads must be at least 1"),
        (["--budget", "1e9"], "more than memory holds"),
        (["--fit", '{"steps": 3, "epochs": 2}'], "Give one of them"),
    ],
)
def test_bad_input_is_named_before_any_work(arguments, said, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "run_job", None)
    assert command("accuracy", tmp_path, *arguments) == 1
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_hold_results_is_refused_before_any_work(wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study, "run_job", None)
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "file", tmp_path / "file" / "below"):
        assert command("accuracy", out) == 1
        assert "cannot hold results" in capsys.readouterr().err


def test_a_line_that_is_no_result_is_named(wheel, tmp_path, capsys):
    for line in ("{}", "no json"):
        (tmp_path / "accuracy.jsonl").write_text(f"{line}\n")
        assert command("accuracy", tmp_path) == 1
        assert "accuracy.jsonl, line 1, is no result" in capsys.readouterr().err


def test_draws_that_cannot_be_read_are_drawn_again(wheel, untrained, tmp_path):
    assert command("accuracy", tmp_path) == 0
    (tmp_path / "accuracy.jsonl").unlink()
    for suffix, text in (("npy", "short"), ("json", "")):
        next((tmp_path / "draws").glob(f"*.{suffix}")).write_text(text)
        assert command("accuracy", tmp_path) == 0
        (tmp_path / "accuracy.jsonl").unlink()


def test_an_interrupted_training_is_no_result(tmp_path, monkeypatch):
    rows = {"parameters": np.zeros((200, 2)), "observables": np.zeros((200, 2)), "observed": np.zeros((1, 2))}
    np.savez(tmp_path / "data.npz", **rows)
    job = {"data": tmp_path / "data.npz", "simulator": None, "method": "flow_matching", "arguments": {}, "fit": {}}
    monkeypatch.setattr(ContinuousApproximator, "fit", lambda *_, **__: History(stopped="interrupted"))
    with pytest.raises(KeyboardInterrupt):
        worker.work({**job, "seed": 1, "progress": False, "threads": 1, "draws": 5, "densities": 0})


def test_a_ratio_draws_from_the_box_of_its_prior(wheel, scored_roughly, tmp_path):
    assert command("accuracy", tmp_path, "--network=ratio") == 0
    (row,) = rows(tmp_path)
    assert (row["settings"]["tool"], row["settings"]["method"]) == ("sbicore", "ratio")
    (draws,) = [np.load(file) for file in (tmp_path / "draws").glob("*.npy")]
    assert draws.shape == (200, 2) and np.abs(draws).max() <= 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task=gaussian_linear"], "uniform in a box"),
        (["--budget=online"], "uniform in a box"),
        (['--hyperparameters={"gama": 1.0}'], "gamma"),
    ],
)
def test_what_a_ratio_cannot_do_is_named_before_any_work(arguments, said, wheel, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(study.Study, "run", None)
    assert command("accuracy", tmp_path, "--network=ratio", *arguments) == 1
    assert said in capsys.readouterr().err


def test_peers_are_told_steps(wheel, tmp_path, capsys):
    assert command("peers", tmp_path, "--peer", "sbi.npe", '--fit={"epochs": 2}') == 1
    assert "Give steps" in capsys.readouterr().err


def test_an_unknown_peer_is_named(tmp_path, capsys):
    assert command("peers", tmp_path, "--peer", "sbi.npee") == 1
    assert "There is no peer 'sbi.npee'; did you mean 'sbi.npe'?" in capsys.readouterr().err


def test_a_peer_that_cannot_be_had_is_reported_and_the_rest_runs(wheel, untrained, tmp_path, monkeypatch, capsys):
    def unavailable(peer):
        raise PeerUnavailable(f"The environment of {peer.name} cannot be made: no connection")

    monkeypatch.setattr(contenders, "environment", unavailable)
    assert command("peers", tmp_path, "--peer", "sbi.npe") == 1
    assert [row["settings"]["tool"] for row in rows(tmp_path)] == ["sbicore"]
    report = (tmp_path / "peers.md").read_text()
    assert "## Not measured\n\n- sbi.npe: The environment of sbi cannot be made: no connection" in report


def test_peers_get_the_same_data_and_training(wheel, untrained, tmp_path, monkeypatch):
    """A worker in the place of sbi's that draws a constant, and shows what it was told."""
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import json, sys, numpy as np\n"
        "job = json.load(open(sys.argv[1]))\n"
        "data = np.load(job['data'])\n"
        "rng = np.random.default_rng(0)\n"
        "np.save(job['out'], rng.normal(size=(len(data['observed']), job['draws'], 2)).astype('f'))\n"
        "facts = dict(sampling_seconds=[1.0], evaluations=None, parameters=1, network='', step_ms=1.0, steps=1,\n"
        "  training_seconds=1.0, memory_mb=1.0, told=job, rows=len(data['parameters']),\n"
        "  first=data['parameters'][0].tolist())\n"
        "print(json.dumps(facts))\n"
    )
    fake = environments.PEERS["sbi"]._replace(worker=worker)
    monkeypatch.setitem(environments.PEERS, "sbi", fake)
    monkeypatch.setattr(contenders, "environment", lambda peer: sys.executable)
    assert command("peers", tmp_path, "--peer", "sbi.fmpe") == 0
    ours, theirs = rows(tmp_path)
    told = theirs["results"]["told"]
    for name in ("steps", "batch_size", "learning_rate", "validation_fraction"):
        assert told[name] == ours["settings"]["fit"][name]
    assert (told["method"], told["bounds"], theirs["results"]["rows"]) == ("fmpe", [[-1.0, -1.0], [1.0, 1.0]], 1000)
    np.testing.assert_allclose(
        theirs["results"]["first"], study.simulations("two_moons", 1000, 1)["parameters"][0], rtol=1e-6
    )


def test_a_worker_that_fails_is_named(wheel, untrained, tmp_path, monkeypatch, capsys):
    fake = environments.PEERS["sbi"]._replace(worker="missing.py")
    monkeypatch.setitem(environments.PEERS, "sbi", fake)
    monkeypatch.setattr(contenders, "environment", lambda peer: sys.executable)
    assert command("peers", tmp_path, "--peer", "sbi.npe", "--workers", "2") == 1
    assert "The process of sbi npe failed" in (tmp_path / "peers.md").read_text()
    assert len(rows(tmp_path)) == 1


@pytest.mark.parametrize(
    ("draws", "said"),
    [
        ("np.full((1, 200, 2), np.nan)", "have values that are not finite"),
        ("np.zeros((1, 7, 2))", r"have the shape \(1, 7, 2\)"),
        ("np.zeros((1, 200, 3))", "expected"),
        (None, "left no draws"),
    ],
)
def test_draws_that_cannot_be_judged_are_named(draws, said, wheel, untrained, tmp_path, monkeypatch):
    worker = tmp_path / "worker.py"
    save = f"np.save(json.load(open(sys.argv[1]))['out'], {draws})" if draws else ""
    worker.write_text(f"import json, sys, numpy as np\n{save}\nprint(json.dumps(dict(sampling_seconds=[1.0])))\n")
    monkeypatch.setitem(environments.PEERS, "sbi", environments.PEERS["sbi"]._replace(worker=worker))
    monkeypatch.setattr(contenders, "environment", lambda peer: sys.executable)
    assert command("peers", tmp_path, "--peer", "sbi.npe") == 1
    assert re.search(said, (tmp_path / "peers.md").read_text())
    assert len(rows(tmp_path)) == 1


def test_the_suites_name_published_tasks():
    for suite in accuracy.SUITES.values():
        assert set(suite["task"]) <= set(accuracy.TASKS)
