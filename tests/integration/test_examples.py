"""Worked examples: the blocks of a page run in order, shortened, and its posterior is near the exact one.

The slow test runs the page as it is written, and holds it to narrower bounds.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGES = Path(__file__).resolve().parents[2] / "docs" / "examples"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def away(comparison):
    """Of each parameter, the largest distance of 5 %, 50 % and 95 % quantiles, in widths of the exact 90 % interval."""
    return {
        (series, name): np.abs(found - exact).max() / (exact[2] - exact[0])
        for series, (_, quantiles) in comparison.items()
        for name, (found, exact) in quantiles.items()
    }


def nile(names, whole):
    found = away(names["comparison"])
    scores = {series: score for series, (score, _) in names["comparison"].items()}
    print(found, scores)
    assert max(found.values()) < (0.25 if whole else 0.3), found
    assert not whole or max(scores.values()) < 0.65, scores


def photons(names, whole):
    """Without looking at the image, errors would be 1.9 times the least.

    Bounds of the whole page leave room for another seed: standard errors are 0.7 % of the error, and 0.4 points of
    coverage.
    """
    table = names["table"]
    print(table, names["least"], names["inside"], names["bias"], names["ranks"].p_values, names["r_hat"].max())
    assert names["least"] < 0.6 * np.std(names["log_truth"])
    for row in table.values():
        assert row["error"] < (1.05 if whole else 1.5), row
    if not whole:
        return
    assert np.quantile(names["r_hat"], 0.99) < 1.05
    assert names["ranks"].p_values.min() > 0.001
    for row in table.values():
        assert abs(row["deviation"] - 1) < 0.08, row
        assert np.abs(np.subtract(row["coverage"], [0.5, 0.9])).max() < 0.03, row
        assert abs(row["power"] - 1) < 0.1, row


CHECKS = {"nile": nile, "photons": photons}
NEEDS = {"nile": "statsmodels"}
SHORTER = {
    "nile": {"epochs=12": "epochs=4", "test_data=500": "test_data=100"},
    "photons": {
        '"epochs": 10': '"epochs": 1',
        '"num_batches_per_epoch": 100': '"num_batches_per_epoch": 12',
        "simulate(150": "simulate(32",
        "19, seed=3)": "19, seed=3, steps=1)",
        "99, seed=4)": "20, seed=4, steps=1)",
        "range(20)": "range(8)",
        "warmup=150, num_samples=400": "warmup=10, num_samples=10",
    },
}


def run(page, text):
    names = {"__name__": "page"}
    for block in BLOCK.finditer(text):
        exec(compile("\n" * text[: block.start(1)].count("\n") + block[1], page, "exec"), names)
    return names


def test_every_example_is_tested():
    assert {page.stem for page in PAGES.glob("*.md")} == set(CHECKS) == set(SHORTER)


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["in brief", "as written"])
def test_an_example(name, whole, tmp_path, monkeypatch):
    pytest.importorskip(NEEDS.get(name, "numpy"))
    monkeypatch.chdir(tmp_path)
    page = PAGES / f"{name}.md"
    text = page.read_text("utf-8")
    for part, shorter in SHORTER[name].items() if not whole else ():
        assert part in text, part
        text = text.replace(part, shorter)
    CHECKS[name](run(page, text), whole)
    assert {path.name for path in tmp_path.glob("*.png")} == {path.name for path in PAGES.glob(f"{name}_*.png")}
