"""Rows survive being stopped, and are found again by their settings."""

import json

from sbicore_benchmarks._records import Records, environment, table


def test_finished_rows_are_found_again(tmp_path):
    path = tmp_path / "out" / "rows.jsonl"
    Records(path).append({"seed": 1, "widths": (2, 3)}, {"c2st": 0.5})
    again = Records(path)
    assert {"widths": [2, 3], "seed": 1} in again
    assert {"seed": 2, "widths": [2, 3]} not in again
    assert again[{"seed": 1, "widths": (2, 3)}] == {"c2st": 0.5}
    row = json.loads(path.read_text())
    assert row["environment"].keys() >= {"time", "python", "processor", "threads", "versions", "commit"}


def test_a_line_cut_short_is_dropped_and_written_anew(tmp_path):
    path = tmp_path / "rows.jsonl"
    Records(path).append({"seed": 1}, {})
    with path.open("a") as file:
        file.write('{"settings": {"seed": 2}, "resu')
    records = Records(path)
    assert {"seed": 1} in records
    assert {"seed": 2} not in records
    records.append({"seed": 2}, {})
    assert [json.loads(line)["settings"]["seed"] for line in path.read_text().splitlines()] == [1, 2]


def test_versions_name_what_a_score_depends_on():
    assert "torch" in environment()["versions"]


def test_the_table_is_aligned_markdown():
    assert table(["a", "bc"], [["x", 0.123456], [12, None]]).splitlines() == [
        "| a  | bc     |",
        "|----|--------|",
        "| x  | 0.1235 |",
        "| 12 | None   |",
    ]
