from collections.abc import Callable

import pytest

from unmist.errors import InputError, UsageError
from unmist.io import ReadCounts
from unmist.io.zeek import unescape

Table = Callable[..., list[tuple[int, str, str | None]]]


def log(path: str, fields: str, *rows: str, types: str = "") -> bytes:
    """A Zeek TSV log; fields, types and rows are written with spaces for tabs."""
    lines = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        "#open\t2024-01-01-00-00-00",
        "#fields\t" + fields.replace(" ", "\t"),
        "#types\t" + (types or " ".join("string" for _ in fields.split())).replace(" ", "\t"),
        *(row.replace(" ", "\t") for row in rows),
        "#close\t2024-01-01-01-00-00",
    ]
    return "".join(f"{line}\n" for line in lines).encode()


@pytest.mark.parametrize(
    ("path", "fields"), [("dns", "ts query"), ("ssl", "ts server_name"), ("http", "ts host")]
)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_hostname_columns(path: str, fields: str, ending: bytes, table: Table) -> None:
    data = log(path, fields, "1 a.org", "2 b.org").replace(b"\n", ending)
    assert table(data) == [(9, "a.org", None), (10, "b.org", None)]


def test_the_path_decides_before_the_order_of_names(table: Table) -> None:
    assert table(log("ssl", "query server_name", "x.org y.org"))[0][1] == "y.org"
    assert table(log("other", "query server_name", "x.org y.org"))[0][1] == "x.org"


@pytest.mark.parametrize(("field", "text"), [("url", "/u"), ("http", "/u"), ("header", "curl")])
def test_other_fields(field: str, text: str, table: Table) -> None:
    data = log("http", "host uri user_agent", "a.org /u curl")
    assert table(data, field=field) == [(9, text, None)]


def test_unset_and_empty_are_filtered(table: Table) -> None:
    counts = ReadCounts()
    rows = table(log("dns", "ts query", "1 -", "2 (empty)", "3 a.org"), counts=counts)
    assert rows == [(11, "a.org", None)]
    assert counts == ReadCounts(rows=1, filtered=2)


def test_declared_unset_marker_replaces_the_usual_one(table: Table) -> None:
    data = log("dns", "ts query", "1 NA", "2 -").replace(b"#unset_field\t-", b"#unset_field\tNA")
    assert table(data) == [(10, "-", None)]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("1 a.org", "too_few_fields"),
        ("1 a.org x y", "too_many_fields"),
        ("", "empty"),
        ("1  x", "empty"),
        ("1 a\\x00b x", "nul_byte"),
        ("1 a\\xff x", "invalid_utf8"),
    ],
)
def test_bad_rows(row: str, problem: str, table: Table) -> None:
    rows = table(log("dns", "ts query rest", row, "2 b.org x"))
    assert rows[0][2] == problem
    assert rows[1] == (10, "b.org", None)


def test_escapes(table: Table) -> None:
    assert unescape(rb"a\x09b\\x41\xc3\xa9\q\x4") == b"a\tb\\x41\xc3\xa9\\q\\x4"
    assert table(log("dns", "query", r"\x2d", r"caf\xc3\xa9")) == [
        (9, "-", None),
        (10, "caf\u00e9", None),
    ]


def test_other_separator(table: Table) -> None:
    data = b"#separator |\n#path|dns\n#fields|ts|query\n1|a.org\n"
    assert table(data, format="zeek") == [(4, "a.org", None)]


def test_sets_give_a_row_for_each_element(table: Table) -> None:
    data = log("dns", "query answers", "a 1.1.1.1,b.org,-", types="string vector[string]")
    counts = ReadCounts()
    rows = table(data, column="answers", counts=counts)
    assert rows == [(9, "1.1.1.1", None), (9, "b.org", None)]
    assert counts == ReadCounts(rows=2, filtered=1)
    assert table(log("dns", "query", "a,b")) == [(9, "a,b", None)]


def test_concatenated_logs(table: Table) -> None:
    data = (
        log("dns", "ts query", "1 a.org")
        + log("ssl", "server_name ts", "b.org 2")
        + log("conn", "ts uid", "3 C1")
    )
    rows = table(data)
    assert [row[1:] for row in rows] == [
        ("a.org", None),
        ("b.org", None),
        ("3\tC1", "missing_column"),
    ]


@pytest.mark.parametrize("data", [b"1\ta.org\n", b"#separator \\x09\n#path\tdns\n1\ta.org\n"])
def test_no_fields_header(data: bytes, table: Table) -> None:
    with pytest.raises(InputError, match=r"no #fields header.*--format lines") as caught:
        table(data, format="zeek")
    assert caught.value.line == data.count(b"\n")


@pytest.mark.parametrize("column", ["hostnam", None])
def test_missing_column_lists_the_columns(column: str | None, table: Table) -> None:
    with pytest.raises(UsageError, match="one of: 'ts', 'uid'"):
        table(log("conn", "ts uid", "1 C1"), column=column)


def test_unknown_field_needs_a_column(table: Table) -> None:
    data = log("smtp", "ts mailfrom", "1 a@b.org")
    with pytest.raises(UsageError, match="'email'"):
        table(data, field="email")
    assert table(data, field="email", column="mailfrom") == [(9, "a@b.org", None)]


def test_header_only_and_empty(table: Table) -> None:
    assert table(log("dns", "ts query")) == []
    assert table(b"", format="zeek") == []


@pytest.mark.parametrize("key", ["query", "server_name", "host"])
def test_json(key: str, table: Table) -> None:
    line = b'{"ts": 1, "uid": "C1", "%s": "a.org"}\n' % key.encode()
    assert table(line) == [(1, "a.org", None)]


def test_json_columns_and_problems(table: Table) -> None:
    counts = ReadCounts()
    data = (
        b'{"ts": 1, "id.orig_h": "10.0.0.1", "answers": ["a", 1, "b"]}\n'
        b'{"ts": 2}\n[]\n{"answers": 5}\n{"answers": "c"'
    )
    assert [
        (line, problem) for line, _, problem in table(data, column="answers", counts=counts)
    ] == [
        (1, None),
        (1, "wrong_type"),
        (1, None),
        (3, "not_an_object"),
        (4, "wrong_type"),
        (5, "malformed_json"),
    ]
    assert counts == ReadCounts(rows=2, bad=4, filtered=1)
    assert table(data, format="zeek", column="id.orig_h")[0] == (1, "10.0.0.1", None)


def test_json_without_a_value_is_filtered(table: Table) -> None:
    counts = ReadCounts()
    data = b'{"ts": 1, "uid": "C1"}\n{"ts": 1, "query": null}\n{"ts": 1, "query": 7}\n'
    assert [problem for *_, problem in table(data, counts=counts)] == ["wrong_type"]
    assert counts == ReadCounts(bad=1, filtered=2)
