"""What every test of reading needs: rows of some bytes, and their counts."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from unmist.io import ReadCounts, Row, open_rows

Read = Callable[..., list[Row]]


def read_bytes(data: bytes, **options: Any) -> list[Row]:
    """The rows of ``data`` on standard input; checks that every row is counted once."""
    counts = options.setdefault("counts", ReadCounts())
    rows = list(open_rows("-", stdin=io.BytesIO(data), **options))
    assert counts.rows == sum(row.problem is None for row in rows)
    assert counts.bad == sum(row.problem is not None for row in rows)
    return rows


@pytest.fixture(name="read")
def read_fixture() -> Read:
    return read_bytes


def brief(rows: list[Row]) -> list[tuple[int, str, str | None]]:
    """Rows as (line, text, problem)."""
    return [(row.line, row.text, row.problem) for row in rows]


@pytest.fixture(name="table")
def table_fixture() -> Callable[..., list[tuple[int, str, str | None]]]:
    """Rows of some bytes as (line, text, problem)."""
    return lambda data, **options: brief(read_bytes(data, **options))
