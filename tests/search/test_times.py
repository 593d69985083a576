"""Times in any spelling."""

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.search.times import TIME, parse_time, to_time

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
STAMP = int(NOON.timestamp())


@pytest.mark.parametrize(
    "values",
    [
        [NOON],
        [NOON.replace(tzinfo=None)],
        [STAMP],
        [float(STAMP)],
        [STAMP * 1000],
        [STAMP * 10**6],
        [STAMP * 10**9],
        ["2026-01-31T12:00:00Z"],
        ["2026-01-31 12:00"],
        ["2026-01-31T14:00:00+02:00"],
        [f"{STAMP}.000000"],
        [str(STAMP * 1000)],
    ],
)
def test_spellings(values) -> None:
    column = to_time(pa.chunked_array([pa.array(values)]))
    assert column.type == TIME
    assert column.to_pylist() == [NOON]


def test_what_is_no_time_is_null() -> None:
    column = to_time(pa.chunked_array([["never", None, "", "nan", "inf", "9" * 400, "-"]]))
    assert column.to_pylist() == [None] * 7
    assert to_time(pa.chunked_array([[True]])).to_pylist() == [None]
    assert to_time(pa.chunked_array([pa.array([date(2026, 1, 31)])])).to_pylist() == [
        datetime(2026, 1, 31, tzinfo=UTC)
    ]
    assert parse_time("tomorrow") is None


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = parse_time(text)
    assert found is None or found.tzinfo is not None
    (value,) = to_time(pa.chunked_array([pa.array([text], pa.string())])).to_pylist()
    assert value == found


@given(
    st.datetimes(
        datetime(1980, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone(timedelta(hours=3)))
    )
)
def test_iso_comes_back(time: datetime) -> None:
    assert parse_time(time.isoformat()) == time
