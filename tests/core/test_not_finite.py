"""Whose fault it is that a value is not finite, beside sets of different lengths."""

from __future__ import annotations

import numpy as np
import pytest

import sbicore
from sbicore.errors import DataError, DataWarning

pytest.importorskip("sbicore_flow_matching")
pytest.importorskip("sbicore_fusion")
pytest.importorskip("sbicore_set_transformer")

FIT = {"steps": 2, "batch_size": 32, "compile": "never", "progress": False, "seed": 1}
ASK = {"num_samples": 2, "seed": 1, "progress": False}
FIRST = "in 1 of 3 observations, first in number"


def sources(count=60):
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(count, 1))
    trials = [np.exp(t + rng.normal(size=(rng.integers(1, 6), 1))) for t in theta]
    return {"theta": theta, "trials": trials, "scan": np.exp(theta[..., None] + rng.normal(size=(count, 3, 1)))}


def build(**arguments):
    backbones = {name: {"name": "deep_set"} for name in ("trials", "scan")}
    return sbicore.build(
        "flow_matching",
        subnet_kwargs={"widths": [8]},
        summary_network={"name": "fusion_network", "backbones": backbones},
        inference_variables=["theta"],
        summary_variables=["trials", "scan"],
        **arguments,
    )


def observed(**changed):
    trials = [np.ones((3, 1)), np.ones((1, 1)), np.ones((2, 1))]
    return {"trials": trials, "scan": np.ones((3, 3, 1)), **changed}


@pytest.fixture(scope="module", params=[None, "mask"])
def fused(request):
    model = build(missing=request.param)
    model.fit(sources(), **FIT)
    return model


def test_padding_is_not_at_fault(fused):
    trials = observed()["trials"]
    wrong = np.array([[1.0], [np.inf], [1.0]])
    with pytest.raises(DataError, match=f"'trials' is not finite {FIRST} 0"):
        fused.sample(observed(trials=[wrong, *trials[1:]]), **ASK)
    scan = np.ones((3, 3, 1))
    scan[1] = np.inf
    with pytest.raises(DataError, match=f"'scan' is not finite {FIRST} 1"):
        fused.sample(observed(scan=scan), **ASK)
    with pytest.raises(DataError, match=f"'scan' is not finite {FIRST} 1"):
        fused.sample(observed(scan=scan, trials=[*trials[:2], np.zeros((0, 1))]), **ASK)


def test_nan_is_counted_where_it_is():
    model = build()
    model.fit(sources(), **FIT)
    trials = observed()["trials"]
    with pytest.raises(DataError, match=f"'trials' is not finite {FIRST} 2"):
        model.sample(observed(trials=[*trials[:2], np.array([[1.0], [np.nan]])]), **ASK)
    padded = np.full((3, 4, 1), np.nan)
    padded[:, 0] = 1.0
    data = {"trials": padded, "scan": np.full((3, 3, 1), np.nan), "summary_mask": {"trials": np.eye(4)[[0, 0, 0]]}}
    with pytest.raises(DataError, match="'scan' is not finite in 3 of 3"):
        model.sample(data, **ASK)


def test_the_domain_of_an_adapter_is_that_of_entries_that_are_there():
    model = build(adapter=sbicore.Adapter().log(["trials", "scan"]))
    model.fit(sources(), **FIT)
    trials = observed()["trials"]
    place = r"outside the domain of adapter step 1 \(log\)"
    with pytest.raises(DataError, match=rf"'trials' {place} {FIRST} 1"):
        model.sample(observed(trials=[trials[0], -trials[1], trials[2]]), **ASK)
    scan = np.ones((3, 3, 1))
    scan[2, 0] = -1.0
    with pytest.raises(DataError, match=rf"'scan' {place} {FIRST} 2"):
        model.sample(observed(scan=scan), **ASK)


def test_rows_dropped_in_training_are_counted_where_the_fault_is(fused):
    data = sources()
    data["scan"][[3, 7]] = np.inf
    data["trials"][5] = np.array([[np.inf], [1.0]])
    with pytest.warns(DataWarning, match=r"3 of 60 rows dropped .*\((trials: 1, scan: 2|scan: 2, trials: 1)\)"):
        fused.fit(data, **FIT)
