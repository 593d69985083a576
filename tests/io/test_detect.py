import pytest

from unmist.io.detect import detect_format


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"", "lines"),
        (b"a.org\n", "lines"),
        (b"PAR1\x15\x04", "parquet"),
        (b"#separator \\x09\n", "zeek"),
        (b"#fields\tts\tquery\n", "zeek"),
        (b"# a comment\na.org\n", "lines"),
        (b'{"timestamp": "x", "event_type": "dns"}\n', "eve"),
        (b'\n{"timestamp": "x", "event_type": "dns"}', "eve"),
        (b'{"event_type": "dns"}\n', "jsonl"),
        (b'{"ts": 1, "query": "x"}\n', "zeek"),
        (b'{"ts": 1, "server_name": "x"}\n', "zeek"),
        (b'{"ts": 1, "host": "x", "uri": "/"}\n', "zeek"),
        (b'{"ts": 1, "id.orig_h": "x"}\n', "zeek"),
        (b'{"ts": 1, "host": "x"}\n', "jsonl"),
        (b'{"query": "x"}\n', "jsonl"),
        (b'{broken\n{"timestamp": "x", "event_type": "dns"}\n', "eve"),
        (b"{not json\n", "lines"),
        (b'{"text": "' + b"x" * 1000, "jsonl"),
        (b'["x"]\n', "lines"),
    ],
)
def test_detect(head: bytes, format: str) -> None:
    assert detect_format(head) == format


@pytest.mark.parametrize(
    ("head", "format"),
    [
        (b"host,n\n", "csv"),
        (b"n\thost\r\n", "csv"),
        (b"n;host", "csv"),
        (b"host\nx\n", "csv"),
        (b"hosts,n\n", "lines"),
        (b'{"host": "x"}\n', "jsonl"),
    ],
)
def test_a_table_is_told_by_its_column(head: bytes, format: str) -> None:
    assert detect_format(head, "host") == format
    if format == "csv":
        assert detect_format(head) == "lines"
