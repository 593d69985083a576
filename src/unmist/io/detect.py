"""Which format an input is in, from its first bytes."""

import msgspec

from unmist.io.columnar import PARQUET_MAGIC
from unmist.io.delimited import sniff_delimiter
from unmist.io.jsonlines import decode_object

_ZEEK_HEADERS = (b"#separator ", b"#fields\t")


def detect_format(head: bytes, column: str | None = None) -> str:
    """The format of an input.

    Args:
        head: its decompressed start; the first line decides.
        column: the column asked for; only with one can a table be told from plain lines.

    Returns:
        One of ``FORMATS`` other than ``auto``; ``lines`` when nothing else fits.
    """
    if head.startswith(PARQUET_MAGIC):
        return "parquet"
    start = head.lstrip()
    if start.startswith(_ZEEK_HEADERS):
        return "zeek"
    if start.startswith(b"{"):
        return _detect_json(start)
    first = start.partition(b"\n")[0].removesuffix(b"\r")
    if column is not None and sniff_delimiter(first, column) is not None:
        return "csv"
    return "lines"


def _detect_json(start: bytes) -> str:
    lines = start.split(b"\n")
    for line in lines:
        try:
            keys = frozenset(decode_object(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        return _json_dialect(keys)
    # One object that is longer than the head cannot be parsed, but it is still JSON.
    return "jsonl" if len(lines) == 1 and start.startswith(b'{"') else "lines"


def _json_dialect(keys: frozenset[str]) -> str:
    if {"event_type", "timestamp"} <= keys:
        return "eve"
    zeek_only = {"query", "server_name", "id.orig_h", "uid"}
    if "ts" in keys and (keys & zeek_only or {"host", "uri"} <= keys):
        return "zeek"
    return "jsonl"
