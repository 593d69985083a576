from collections.abc import Callable

import pytest

from unmist.errors import UsageError
from unmist.io import ReadCounts

Table = Callable[..., list[tuple[int, str, str | None]]]


@pytest.mark.parametrize("key", ["text", "hostname", "query", "host", "domain"])
def test_default_column(key: str, table: Table) -> None:
    assert table(b'{"a": 1, "%s": "x.org"}\n' % key.encode()) == [(1, "x.org", None)]


def test_text_comes_before_hostname_and_the_field_kind_counts(table: Table) -> None:
    data = b'{"host": "h", "url": "/u", "text": "t"}'
    assert table(data) == [(1, "t", None)]
    assert table(data.replace(b"text", b"else"), field="url") == [(1, "/u", None)]
    assert table(data, column="url") == [(1, "/u", None)]


@pytest.mark.parametrize("column", [None, "hostnam"])
def test_no_column_lists_the_keys(column: str | None, table: Table) -> None:
    with pytest.raises(UsageError, match="one of: 'name', 'n'"):
        table(b'{"name": "x", "n": 1}\n', format="jsonl", column=column)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"", "empty"),
        (b"  ", "empty"),
        (b"{}", "missing_column"),
        (b'{"text": null}', "missing_value"),
        (b'{"text": 1}', "wrong_type"),
        (b'{"text": ["x"]}', "wrong_type"),
        (b'{"text": 1' + b"0" * 9000 + b"}", "wrong_type"),
        (b'["x"]', "not_an_object"),
        (b'"x"', "not_an_object"),
        (b"null", "not_an_object"),
        (b'{"text": "x', "malformed_json"),
        (b'{"text": "x"} {}', "malformed_json"),
        (b'{"text": "\\ud800"}', "malformed_json"),
        (b'{"text": "\\xff"}', "malformed_json"),
        (b'{"text": NaN}', "malformed_json"),
        (b'{"text": "a\0b"}', "malformed_json"),
        (b'{"text": ' + b"[" * 100_000, "malformed_json"),
        (b'{"\xff": [}', "malformed_json"),
        (b"not json", "malformed_json"),
    ],
)
def test_bad_line_is_reported_and_the_stream_goes_on(
    line: bytes, problem: str, table: Table
) -> None:
    rows = table(b'{"text": "a"}\n' + line + b'\n{"text": "b"}\n', format="jsonl")
    assert rows[0] == (1, "a", None)
    assert rows[2] == (3, "b", None)
    assert rows[1][0] == 2
    assert rows[1][2] == problem
    assert rows[1][1][:20] == line.decode(errors="backslashreplace")[:20]


@pytest.mark.parametrize(
    ("line", "text", "problem"),
    [
        (b'{"text": ""}', "", "empty"),
        (b'{"text": "a\\u0000b"}', "a\0b", "nul_byte"),
        (b'{"text": "a\xffb"}', "a\\xffb", "invalid_utf8"),
        (b'{"text": "a\\\\xffb"}', "a\\xffb", None),
        (b'{"text": "ab", "other": "\xff"}', "ab", None),
        (b'{"text": "ab", "\xff": 1}', "ab", None),
        (b'{"text": "b\\u00fccher.de"}', "b\u00fccher.de", None),
        (b' {"text" : "x"}\r', "x", None),
    ],
)
def test_values(line: bytes, text: str, problem: str | None, table: Table) -> None:
    assert table(line, format="jsonl") == [(1, text, problem)]


def test_every_record_is_counted(table: Table) -> None:
    counts = ReadCounts()
    table(b'{"text": "a"}\n{\n{}\n\n{"text": "b"}', format="jsonl", counts=counts)
    assert counts == ReadCounts(rows=2, bad=3, filtered=0)
