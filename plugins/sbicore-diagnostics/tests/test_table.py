"""The table of metrics: a mapping that prints."""

from __future__ import annotations

import importlib.util

import pytest
from sbicore_diagnostics import Table

from sbicore.errors import DataError

TABLE = Table({"NRMSE": [0.5, 1.25], "Log Gamma": [-3.0, float("nan")]}, ["a", "<b>"])


def test_it_is_a_mapping_of_rows():
    assert TABLE["NRMSE"] == {"a": 0.5, "<b>": 1.25}
    assert list(TABLE) == ["NRMSE", "Log Gamma"] and len(TABLE) == 2
    assert TABLE.to_dict() == dict(TABLE)


def test_it_prints_aligned():
    assert str(TABLE).splitlines()[:2] == ["                  a       <b>", "NRMSE         0.500     1.250"]
    assert "&lt;b&gt;" in TABLE._repr_html_()


def test_wide_tables_print_in_blocks():
    lines = str(Table({"row": range(50)}, [f"theta[{i}]" for i in range(50)])).splitlines()
    assert max(map(len, lines)) <= 110
    assert sum(line.startswith("row") for line in lines) == lines.count("") + 1 == 6


def test_rows_must_fit():
    with pytest.raises(DataError, match="'x' has 1 values for 2 columns"):
        Table({"x": [1.0]}, ["a", "b"])


def test_data_frame():
    if importlib.util.find_spec("pandas"):
        assert TABLE.to_data_frame().loc["NRMSE", "a"] == 0.5
    else:
        with pytest.raises(ModuleNotFoundError, match="pip install pandas"):
            TABLE.to_data_frame()
