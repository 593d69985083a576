"""Rows of pieces are the rows of the whole, wherever it is cut."""

import io
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.errors import InputError, UsageError
from unmist.io import LiveReader, Piece, ReadCounts, Row, open_rows

ZEEK = b"""\
#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\tdns
#open\t2024-01-01-00-00-00
#fields\tts\tquery
#types\ttime\tstring
1\ta.org
2\t-
3\tb\\xff.org
4
#close\t2024-01-01-01-00-00
#separator |
#path|http
#fields|ts|host|uri
5|c.org|/
6|d.org
"""
ZEEK_JSON = b"""\
{"ts": 1, "uid": "C1", "query": "a.org"}
not json
{"ts": 1, "uid": "C2"}

{"ts": 1, "server_name": "b.org"}
"""
EVE = b"""\
{"timestamp": "t", "event_type": "dns", "dns": {"rrname": "a.org"}}
{"timestamp": "t", "event_type": "flow"}
{"timestamp": "t", "event_type": "tls", "tls": {"sni": 7}}
{"timestamp": "t", "event_type": "dns", "dns": {"queries": [{"rrname": "b"}, {"rrname": "c"}]}}
"""
JSONL = b"""\
{"host": "a.org", "n": 1}
{"query": "not this one"}
{"host": null}
{"text": "nor this", "host": "b.org"}
"""
LINES = b"\xef\xbb\xbfa.org\r\n\nb\x00.org\n{not json\n\x1f\x8b.org\n#c.org\n"
LOGS = {"zeek": ZEEK, "zeek json": ZEEK_JSON, "eve": EVE, "jsonl": JSONL, "lines": LINES}


def read_whole(data: bytes, counts: ReadCounts, **options: str) -> list[Row]:
    """The rows; where they start, a followed log does not say."""
    rows = open_rows("-", stdin=io.BytesIO(data), counts=counts, **options)
    return [msgspec.structs.replace(row, offset=None) for row in rows]


def pieces(data: bytes, cuts: set[int], *, first: int = 0) -> list[Piece]:
    """The lines of ``data`` from line ``first`` on, in pieces that begin at the lines ``cuts``."""
    lines = data.splitlines(keepends=True)
    starts = sorted({first, *(cut for cut in cuts if first < cut < len(lines))})
    stops = [*starts[1:], len(lines)]
    return [
        Piece(b"".join(lines[start:stop]), start + 1, data if start == first else None)
        for start, stop in zip(starts, stops, strict=True)
    ]


@pytest.mark.parametrize("kind", LOGS)
@given(cuts=st.sets(st.integers(0, 20)))
def test_where_a_log_is_cut_does_not_matter(kind: str, cuts: set[int]) -> None:
    expected, counts = ReadCounts(), ReadCounts()
    rows = read_whole(LOGS[kind], expected)
    reader = LiveReader("-", counts=counts)
    found = [row for piece in pieces(LOGS[kind], cuts) for row in reader.rows(piece)]
    assert found == rows
    assert counts == expected


@pytest.mark.parametrize("kind", LOGS)
@given(cuts=st.sets(st.integers(0, 20)), left=st.integers(1, 3))
def test_a_log_can_be_left_and_gone_on_with(kind: str, cuts: set[int], left: int) -> None:
    data = LOGS[kind]
    left += 9 * (kind == "zeek")  # after the first header
    before, *_ = pieces(data, {left})
    first = LiveReader("-", format=kind.split()[0])
    head = first.rows(before)
    second = LiveReader("-", format=kind.split()[0], header=first.header)
    if kind == "jsonl":
        second = LiveReader("-", format="jsonl", column="host")
        data = data.replace(b'{"query"', b'{"host": "x", "query"')
    tail = [row for piece in pieces(data, cuts, first=left) for row in second.rows(piece)]
    rows = read_whole(data, ReadCounts(), format=kind.split()[0])
    assert [row for row in head + tail if row.line > left] == [r for r in rows if r.line > left]


def test_the_header_of_a_zeek_log_is_found_at_its_start() -> None:
    reader = LiveReader("-")
    (piece,) = pieces(ZEEK, set(), first=9)
    first, *_ = reader.rows(piece)
    assert (first.line, first.text) == (11, "b\\xff.org")


def test_the_last_header_holds_after_a_restart() -> None:
    first = LiveReader("-")
    first.rows(pieces(ZEEK, {17})[0])
    second = LiveReader("-", header=first.header)
    (piece,) = pieces(ZEEK + b"7|e.org|/\n", set(), first=18)
    assert [(row.line, row.text) for row in second.rows(piece)] == [(19, "e.org")]


def test_a_new_file_has_a_header_of_its_own() -> None:
    reader = LiveReader("-")
    reader.rows(pieces(ZEEK, set())[0])
    new = b"#separator \\x09\n#path\tssl\n#fields\tserver_name\tts\nnew.org\t1\n"
    assert [row.text for row in reader.rows(Piece(new, 1, new))] == ["new.org"]
    assert reader.rows(Piece(b"newer.org\t2\n", 5, None))[0] == Row("newer.org", "-", 5)


def test_a_later_log_may_lack_the_column() -> None:
    reader = LiveReader("-")
    reader.rows(pieces(ZEEK, set())[0])
    new = b"#separator \\x09\n#path\tconn\n#fields\tts\tuid\n1\tC1\n"
    for piece in (Piece(new, 1, new), Piece(b"2\tC2\n", 5, None)):
        assert [row.problem for row in reader.rows(piece)] == ["missing_column"]


def test_one_odd_first_line_changes_no_format() -> None:
    reader = LiveReader("-")
    reader.rows(pieces(EVE, set())[0])
    rows = reader.rows(Piece(b"oops\n" + EVE, 1, b"oops\n" + EVE))
    assert [row.problem for row in rows] == ["malformed_json", None, "wrong_type", None, None]


def test_zeek_may_change_between_its_two_ways() -> None:
    reader = LiveReader("-")
    texts = [reader.rows(Piece(log, 1, log))[0].text for log in (ZEEK, ZEEK_JSON, ZEEK)]
    assert texts == ["a.org"] * 3


def test_an_endless_line_among_the_header_is_bad_once() -> None:
    reader = LiveReader("-", format="zeek")
    long = b"#path\t" + b"x" * (1 << 20) + b"\n"
    data = b"#separator \\x09\n#fields\tquery\n" + long
    assert [row.problem for row in reader.rows(Piece(data, 1, data))] == ["line_too_long"]
    assert reader.rows(Piece(b"a.org\n", 4, None)) == [Row("a.org", "-", 4)]


@pytest.mark.parametrize(
    ("opening", "said"),
    [
        (b"\x1f\x8bxx\n", "not text"),
        (b"PAR1xx\n", "not text"),
        (b"\x28\xb5\x2f\xfdxx\n", "not text"),
    ],
)
def test_what_is_no_text_is_refused(opening: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        LiveReader("-").rows(Piece(opening, 1, opening))


def one(data: bytes, **options: str) -> Callable[[], list[Row]]:
    return lambda: LiveReader("-", **options).rows(Piece(data, 1, data))


def test_mistakes_are_explained() -> None:
    with pytest.raises(UsageError, match="'csv' cannot be followed; choose from: auto, lines"):
        LiveReader("-", format="csv")
    with pytest.raises(UsageError, match="no format 'morse'"):
        LiveReader("-", format="morse")
    with pytest.raises(InputError, match="'csv', which cannot be followed"):
        one(b"n,host\n1,a.org\n", column="host")()
    with pytest.raises(UsageError, match="no column 'hots'; pass --column with one of: 'host'"):
        one(b'{"host": "a.org"}\n', format="jsonl", column="hots")()
    with pytest.raises(InputError, match="no #fields header"):
        one(b"1\ta.org\n", format="zeek")()
    with pytest.raises(UsageError, match="one of: 'ts', 'uid'"):
        one(b"#path\tconn\n#fields\tts\tuid\n1\tC1\n", format="zeek")()
