from collections.abc import Callable

import msgspec
import pytest

from unmist.errors import UsageError
from unmist.io import ReadCounts

Table = Callable[..., list[tuple[int, str, str | None]]]


def event(kind: str, section: object, name: str | None = None) -> bytes:
    record = {"timestamp": "2024-01-01T00:00:00", "event_type": kind, name or kind: section}
    return msgspec.json.encode(record) + b"\n"


@pytest.mark.parametrize(
    ("line", "names"),
    [
        (event("dns", {"type": "query", "rrname": "a.org"}), ["a.org"]),
        (event("dns", {"version": 2, "type": "answer", "rrname": "a.org"}), ["a.org"]),
        (event("dns", {"version": 3, "queries": [{"rrname": "a.org"}]}), ["a.org"]),
        (
            event("dns", {"version": 3, "queries": [{"rrname": "a.org"}, {"rrname": "b.org"}]}),
            ["a.org", "b.org"],
        ),
        (event("dns", {"query": [{"rrname": "a.org"}]}), ["a.org"]),
        (event("tls", {"sni": "a.org", "version": "TLS 1.3"}), ["a.org"]),
        (event("http", {"hostname": "a.org", "url": "/"}), ["a.org"]),
    ],
)
def test_hostnames(line: bytes, names: list[str], table: Table) -> None:
    counts = ReadCounts()
    assert table(line, counts=counts) == [(1, name, None) for name in names]
    assert counts == ReadCounts(rows=len(names))


@pytest.mark.parametrize(
    "line",
    [
        event("flow", {"bytes": 1}),
        event("alert", {"hostname": "a.org"}, "http"),
        event("dns", {}),
        event("dns", {"queries": []}),
        event("dns", {"queries": [{"rrtype": "A"}]}),
        event("dns", None),
        event("tls", {"sni": None}),
        event("http", {"url": "/"}),
        event("dns", {"sni": "a.org"}, "tls"),
    ],
)
def test_events_without_a_value_are_filtered(line: bytes, table: Table) -> None:
    counts = ReadCounts()
    assert table(line, format="eve", counts=counts) == []
    assert counts == ReadCounts(filtered=1)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (event("dns", [1]), "wrong_type"),
        (event("dns", {"rrname": 1}), "wrong_type"),
        (event("dns", {"queries": ["a.org"]}), "wrong_type"),
        (event("tls", "a.org"), "wrong_type"),
        (event("tls", {"sni": ""}), "empty"),
        (b'{"event_type": 1}\n', "wrong_type"),
        (b'{"dns": {"rrname": "a.org"}}\n', "missing_column"),
        (b'[{"event_type": "dns"}]\n', "not_an_object"),
        (event("dns", {"rrname": "a.org"})[:-5] + b"\n", "malformed_json"),
        (b'{"event_type": "dns", "dns": {"rrname": "\\ud800"}}\n', "malformed_json"),
        (b'{"event_type": "dns", "dns": {"rrname": "a\xff"}}\n', "invalid_utf8"),
    ],
)
def test_unusual_lines(line: bytes, problem: str, table: Table) -> None:
    good = event("tls", {"sni": "b.org"})
    rows = table(line + good, format="eve")
    assert [(number, problem) for number, _, problem in rows] == [(1, problem), (2, None)]


def test_a_wrong_type_elsewhere_does_not_matter(table: Table) -> None:
    line = b'{"event_type": "tls", "tls": {"sni": "a.org"}, "http": 5, "dns": "x", "n": 1e999999}'
    assert table(line, format="eve") == [(1, "a.org", None)]


@pytest.mark.parametrize(("field", "text"), [("url", "/u"), ("http", "/u"), ("header", "curl")])
def test_other_fields(field: str, text: str, table: Table) -> None:
    http = {"hostname": "a.org", "url": "/u", "http_user_agent": "curl"}
    assert table(event("http", http), field=field) == [(1, text, None)]
    assert table(event("tls", {"sni": "a.org"}), field=field) == []


def test_unknown_field_needs_a_column(table: Table) -> None:
    with pytest.raises(UsageError, match=r"'email'.*--column.*hostname"):
        table(event("http", {}), field="email")
    line = event("smtp", {"mail_from": "<a>"})
    assert table(line, field="email", column="smtp.mail_from") == [(1, "<a>", None)]


def test_dotted_path(table: Table) -> None:
    line = event("dns", {"answers": [{"rdata": "1"}, {"rdata": "2"}, {}]})
    counts = ReadCounts()
    rows = table(line + event("tls", {}), column="dns.answers.rdata", counts=counts)
    assert rows == [(1, "1", None), (1, "2", None)]
    assert counts == ReadCounts(rows=2, filtered=2)
