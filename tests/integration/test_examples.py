"""Worked examples: the blocks of a page run in order, shortened, and its posterior is near the exact one.

The slow test runs the page as it is written, and holds it to narrower bounds.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs" / "examples" / "nile.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHORTER = {"epochs=12": "epochs=3", "test_data=500": "test_data=100"}
NEAR = [("whole", "noise"), ("whole", "drift"), ("whole", "next"), ("gaps", "noise"), ("gaps", "next")]
"""What the page calls near: the drift with gaps is not."""


def run(text):
    pytest.importorskip("statsmodels")
    names = {"__name__": "page"}
    for block in BLOCK.finditer(text):
        exec(compile("\n" * text[: block.start(1)].count("\n") + block[1], PAGE, "exec"), names)
    return names


def away(comparison):
    """Of each parameter, the largest distance of 5 %, 50 % and 95 % quantiles, in widths of the exact 90 % interval."""
    return {
        (series, name): np.abs(found - exact).max() / (exact[2] - exact[0])
        for series, (_, quantiles) in comparison.items()
        for name, (found, exact) in quantiles.items()
    }


def test_the_nile_in_brief(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text("utf-8")
    for whole, part in SHORTER.items():
        assert whole in text
        text = text.replace(whole, part)
    names = run(text)
    found = away(names["comparison"])
    assert max(found[key] for key in NEAR) < 0.3, found
    assert {path.name for path in tmp_path.glob("*.png")} == {path.name for path in PAGE.parent.glob("nile_*.png")}


@pytest.mark.slow
def test_the_nile(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = run(PAGE.read_text("utf-8"))
    found = away(names["comparison"])
    scores = {series: score for series, (score, _) in names["comparison"].items()}
    print(found, scores)
    assert max(found[key] for key in NEAR) < 0.25, found
    assert scores["whole"] < 0.65, scores
