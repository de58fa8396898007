"""A small table of numbers: a row for each metric, a column for each parameter."""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from sbicore.errors import DataError

__all__ = ["Table"]

WIDTH = 110  # characters of a printed line, at most


class Table(Mapping[str, dict[str, float]]):
    """Rows by name, each a dict of columns: `table["NRMSE"]["theta[0]"]`. Prints aligned, also in notebooks.

    Args:
        rows: values of each row `(C,)` by name.
        columns: names of the C columns.
    """

    def __init__(self, rows: Mapping[str, Sequence[float] | np.ndarray], columns: Sequence[str]) -> None:
        self.columns = tuple(columns)
        self.rows = {name: tuple(float(value) for value in values) for name, values in rows.items()}
        for name, values in self.rows.items():
            if len(values) != len(self.columns):
                raise DataError(f"The row {name!r} has {len(values)} values for {len(self.columns)} columns")

    def __getitem__(self, row: str) -> dict[str, float]:
        return dict(zip(self.columns, self.rows[row], strict=True))

    def __iter__(self) -> Iterator[str]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def to_dict(self) -> dict[str, dict[str, float]]:
        """`{row: {column: value}}`."""
        return {row: self[row] for row in self}

    def to_data_frame(self) -> Any:
        """The same as a `pandas.DataFrame`.

        Raises:
            ModuleNotFoundError: pandas is not installed.
        """
        try:
            pandas: Any = importlib.import_module("pandas")
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError("to_data_frame needs pandas\npip install pandas", name=error.name) from error
        return pandas.DataFrame.from_dict(self.to_dict(), orient="index", columns=list(self.columns))

    def __repr__(self) -> str:
        """In blocks of as many columns as fit beside each other."""
        head = max((len(row) for row in self.rows), default=0)
        widths = [max(8, len(column)) + 2 for column in self.columns]
        blocks, start = [], 0
        while start < len(widths):
            end = start + 1
            while end < len(widths) and head + sum(widths[start : end + 1]) <= WIDTH:
                end += 1
            part = slice(start, end)
            lines = [" " * head + "".join(f"{c:>{w}}" for c, w in zip(self.columns[part], widths[part], strict=True))]
            for row, values in self.rows.items():
                cells = (f"{value:>{w}.3f}" for value, w in zip(values[part], widths[part], strict=True))
                lines.append(f"{row:<{head}}{''.join(cells)}")
            blocks.append("\n".join(lines))
            start = end
        return "\n\n".join(blocks)

    def _repr_html_(self) -> str:
        """For notebooks."""
        heads = "".join(f"<th>{html.escape(column)}</th>" for column in self.columns)
        rows = "".join(
            f"<tr><th>{html.escape(row)}</th>{''.join(f'<td>{value:.3f}</td>' for value in values)}</tr>"
            for row, values in self.rows.items()
        )
        return f"<table><tr><th></th>{heads}</tr>{rows}</table>"
