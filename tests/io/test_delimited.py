import csv
from collections.abc import Callable

import pytest

from unmist.errors import InputError, UsageError
from unmist.io.delimited import MAX_RECORD_LINES, sniff_delimiter
from unmist.io.row import MAX_LINE_BYTES

Table = Callable[..., list[tuple[int, str, str | None]]]


@pytest.mark.parametrize("delimiter", [b",", b"\t", b";"])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_delimiters_and_line_endings(delimiter: bytes, ending: bytes, table: Table) -> None:
    data = b"n,host\n1,a.org\n2,b.org".replace(b",", delimiter).replace(b"\n", ending)
    expected = [(2, "a.org", None), (3, "b.org", None)]
    assert table(data, format="csv") == expected
    assert table(data, column="host") == expected


def test_sniffing_prefers_the_delimiter_that_has_the_column() -> None:
    assert sniff_delimiter(b"a,b;host;c,d", "host") == ";"
    assert sniff_delimiter(b"a,b;host;c,d,e", None) == ","
    assert sniff_delimiter(b"host", "host") == ","
    assert sniff_delimiter(b"a;b", "host") is None


def test_byte_order_mark_and_quoted_header(table: Table) -> None:
    assert table(b'\xef\xbb\xbf"host", n\nx,1\n', column="host") == [(2, "x", None)]
    assert table(b'"host", n\nx,1\n', column="n") == [(2, "1", None)]


@pytest.mark.parametrize("column", ["hostnam", None])
def test_missing_column_lists_the_columns(column: str | None, table: Table) -> None:
    with pytest.raises(UsageError, match="one of: 'a', 'b'"):
        table(b"a,b\n1,2\n", format="csv", column=column)


def test_quoted_fields(table: Table) -> None:
    data = b'text,n\n"a,""b""",1\n"two\r\nlines",2\nlast,3\n'
    assert table(data, format="csv") == [
        (2, 'a,"b"', None),
        (3, "two\r\nlines", None),
        (5, "last", None),
    ]


@pytest.mark.parametrize(
    ("record", "text", "problem"),
    [
        (b"1", "1", "too_few_fields"),
        (b"1,2,3", "1,2,3", "too_many_fields"),
        (b"", "", "empty"),
        (b",1", "", "empty"),
        (b"a\0b,1", "a\0b", "nul_byte"),
        (b"a\xffb,1", "a\\xffb", "invalid_utf8"),
        (b"a,\xff", "a", None),
        (b'"a"b,1', '"a"b,1', "malformed_csv"),
        (b"a\rb,1", "a\\rb,1".replace("\\r", "\r"), "malformed_csv"),
        (b"b\xc3\xbccher,1", "b\u00fccher", None),
    ],
)
def test_records(record: bytes, text: str, problem: str | None, table: Table) -> None:
    rows = table(b"text,n\n" + record + b"\nnext,1\n", format="csv")
    assert rows == [(2, text, problem), (3, "next", None)]


@pytest.mark.parametrize("count", [0, 3, MAX_RECORD_LINES - 1, MAX_RECORD_LINES, 2000])
def test_a_stray_quote_costs_its_own_line_only(count: int, table: Table) -> None:
    data = b'text,n\n"stray,0\n' + b"".join(b"host%d,1\n" % n for n in range(count))
    rows = table(data, format="csv")
    assert rows[0] == (2, '"stray,0', "malformed_csv")
    assert rows[1:] == [(n + 3, f"host{n}", None) for n in range(count)]


def test_a_stray_quote_before_an_over_long_line(table: Table) -> None:
    data = b'text\n"stray\n' + b"x" * (MAX_LINE_BYTES + 1) + b"\nnext\n"
    problems = [(line, problem) for line, _, problem in table(data, format="csv")]
    assert problems == [(2, "malformed_csv"), (3, "line_too_long"), (4, None)]


def test_over_long_field_leaves_the_process_limit_alone(table: Table) -> None:
    limit = csv.field_size_limit()
    data = b"text\n" + b"x" * (limit + 1) + b"\nnext\n"
    problems = [problem for _, _, problem in table(data, format="csv")]
    assert problems == ["field_too_long", None]
    assert csv.field_size_limit() == limit


def test_record_of_many_long_lines_is_bounded(table: Table) -> None:
    # Every line closes one quoted field and opens the next: no field is long, the record is.
    line = b'"' + b"a" * 100_000 + b'","\n'
    rows = table(b'a,b\n"' + line * 20, format="csv", column="a")
    assert all(problem is not None for *_, problem in rows)
    assert [number for number, *_ in rows] == list(range(2, 22))


@pytest.mark.parametrize("header", [b'"a,b\n1,2\n', b'"a"b\n1\n'])
def test_unreadable_header(header: bytes, table: Table) -> None:
    with pytest.raises(InputError, match="header row"):
        table(header, format="csv")


def test_nothing_and_an_over_long_header(table: Table) -> None:
    assert table(b"", format="csv") == []
    rows = table(b"x" * (MAX_LINE_BYTES + 1) + b"\n1\n", format="csv")
    assert [problem for *_, problem in rows] == ["line_too_long"]
