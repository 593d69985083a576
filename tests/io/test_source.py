import contextlib
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmist.errors import UnmistError, UsageError
from unmist.io import FORMATS, ReadCounts, Row, open_rows

Table = Callable[..., list[tuple[int, str, str | None]]]

FRAGMENTS = [
    b"\n", b"\r\n", b"\0", b"\xff", b",", b";", b"\t", b'"', b"{", b"}", b"[", b":", b"#", b"\\",
    b"text", b"host", b"a.org", b"#fields\t", b"#separator \\x09\n", b"\\x", b"\\ud800", b"PAR1",
    b"text,n\n", b'{"text": "a"}\n', b'{"ts": 1, "query": "a"}\n', b"#fields\tts\tquery\n",
    b"1\ta\n",
    b'{"timestamp": "t", "event_type": "dns", "dns": {"rrname": "a"}}\n', b"\x1f\x8b\x08\0",
    b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\xef\xbb\xbf", b"-", b" ",
]  # fmt: skip
hostile = st.one_of(
    st.binary(max_size=200),
    st.lists(st.sampled_from(FRAGMENTS), max_size=30).map(b"".join),
)
quick = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_unknown_format_lists_the_formats() -> None:
    with pytest.raises(UsageError, match="auto, lines, zeek, eve, csv, jsonl, parquet"):
        open_rows("-", format="xml")


def test_plain_lines_have_no_columns(table: Table) -> None:
    with pytest.raises(UsageError, match="no columns"):
        open_rows("-", format="lines", column="host")
    with pytest.raises(UsageError, match="no column 'hostnam' in the first line 'host,n'"):
        table(b"host,n\nx,1\n", column="hostnam")
    assert table(b"", column="host") == []


def test_nothing_is_opened_before_the_first_row(tmp_path: Path) -> None:
    rows = open_rows(str(tmp_path / "later"))
    (tmp_path / "later").write_bytes(b"one\n")
    assert list(rows) == [Row("one", str(tmp_path / "later"), 1, offset=0)]


def test_counts_are_shared_between_inputs(table: Table) -> None:
    counts = ReadCounts()
    table_one = list(open_rows("-", stdin=io.BytesIO(b"a\n\n"), counts=counts))
    list(open_rows("-", stdin=io.BytesIO(b"b\n"), counts=counts))
    assert len(table_one) == 2
    assert counts == ReadCounts(rows=2, bad=1)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("column", [None, "text"])
@quick
@given(data=hostile)
def test_any_bytes_raise_nothing_but_unmist_errors(
    format: str, column: str | None, data: bytes
) -> None:
    if format == "lines":
        column = None
    counts = ReadCounts()
    rows: list[Row] = []
    with contextlib.suppress(UnmistError):
        rows.extend(
            open_rows("-", format=format, column=column, counts=counts, stdin=io.BytesIO(data))
        )
    assert all(row.text.encode() and row.line for row in rows if row.problem is None)
    assert [row.line for row in rows] == sorted(row.line for row in rows)


@quick
@given(lines=st.lists(st.binary(max_size=20).map(lambda b: b.replace(b"\n", b"")), max_size=20))
def test_lines_in_are_rows_out(lines: list[bytes]) -> None:
    counts = ReadCounts()
    data = b"".join(line + b"\n" for line in lines)
    stream = io.BytesIO(b"first\n" + data)
    rows = list(open_rows("-", format="lines", counts=counts, stdin=stream))
    assert counts.total == len(rows) == len(lines) + 1
    assert [row.line for row in rows] == list(range(1, len(lines) + 2))


JSON_LINES = [
    b'{"event_type": "dns", "dns": {"rrname": "a.org"}}',
    b'{"event_type": "dns", "dns": {"rrname": 5}}',
    b'{"event_type": "dns", "dns": {}}',
    b'{"event_type": "flow"}',
    b'{"event_type": 5}',
    b'{"query": "a.org"}',
    b'{"query": "\xff"}',
    b'{"text": "x"}',
    b"{}", b"[]", b"", b"{", b"null", b"\xff", b"\0",
]  # fmt: skip


@pytest.mark.parametrize("format", ["eve", "jsonl", "zeek"])
@quick
@given(lines=st.lists(st.sampled_from(JSON_LINES), max_size=30))
def test_json_records_in_are_rows_out_and_filtered(format: str, lines: list[bytes]) -> None:
    counts = ReadCounts()
    first = b'{"text": "x"}'
    stream = io.BytesIO(b"".join(line + b"\n" for line in [first, *lines]))
    rows = list(open_rows("-", format=format, counts=counts, stdin=stream))
    assert counts.total == len(lines) + 1
    assert counts.rows + counts.bad == len(rows)


@quick
@given(
    values=st.lists(
        st.sampled_from([b"1\ta.org", b"1\t-", b"1\t(empty)", b"1", b"", b"1\t2\t3", b"1\t\xff"])
    )
)
def test_zeek_records_in_are_rows_out_and_filtered(values: list[bytes]) -> None:
    counts = ReadCounts()
    data = b"#fields\tts\tquery\n" + b"".join(value + b"\n" for value in values)
    rows = list(open_rows("-", counts=counts, stdin=io.BytesIO(data)))
    assert counts.total == len(values)
    assert counts.rows + counts.bad == len(rows)


@quick
@given(
    records=st.lists(st.sampled_from([b"a,1", b"a", b"a,1,2", b"", b'"a,1', b'"a"x,1', b"\xff,1"]))
)
def test_csv_lines_in_are_rows_out(records: list[bytes]) -> None:
    # A stray quote may pair up with a later one, so lines are a bound here and not the count.
    counts = ReadCounts()
    data = b"text,n\n" + b"".join(record + b"\n" for record in records)
    rows = list(open_rows("-", format="csv", counts=counts, stdin=io.BytesIO(data)))
    assert counts.total == len(rows) <= len(records)
    if not any(b'"' in record for record in records):
        assert len(rows) == len(records)
