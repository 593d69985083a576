"""Rows of a log that comes piece by piece: the readers of whole inputs, on every piece.

A piece of a Zeek log may come long after its header, so the header's lines are kept and read again
before each piece.
"""

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from unmist.errors import InputError, UsageError
from unmist.io.columnar import PARQUET_MAGIC
from unmist.io.columns import pick_column
from unmist.io.compression import codec_for
from unmist.io.eve import read_eve
from unmist.io.jsonlines import decode_object, json_key_rows
from unmist.io.lines import read_lines
from unmist.io.pieces import Piece
from unmist.io.row import MAX_LINE_BYTES, ReadCounts, ReadRequest, Row
from unmist.io.source import make_request, pick_format
from unmist.io.stream import HEAD_BYTES, UTF8_BOM
from unmist.io.zeek import read_zeek_json, read_zeek_tsv

LIVE_FORMATS: Final = ("auto", "lines", "zeek", "eve", "jsonl")
"""Formats whose lines can be read one by one; CSV is not among them, for its fields span lines."""

_CHUNK_BYTES: Final = 256 << 10
_SETTING: Final = re.compile(
    rb"^#(separator|set_separator|empty_field|unset_field|path|fields|types)\b.*$", re.MULTILINE
)


class LiveReader:
    """Takes the pieces of one followed log and gives their rows.

    The format and, for JSONL, the key are those of the first file; files that follow it under its
    name cannot change them, so that one odd first line does not change how a log is read.

    Args:
        source: what the rows name as their source.
        format: one of ``LIVE_FORMATS``; ``auto`` looks at the first line.
        column: column, JSON key or (EVE) dotted path; None takes the format's own.
        field: field kind, which decides the default column.
        counts: updated with every piece.
        header: what ``header`` was when the log was left; for going on in the middle of a file.

    Raises:
        UsageError: no such format, or a column for plain lines.
    """

    def __init__(
        self,
        source: str,
        *,
        format: str = "auto",
        column: str | None = None,
        field: str = "hostname",
        counts: ReadCounts | None = None,
        header: bytes = b"",
    ) -> None:
        request = make_request(source, format=format, column=column, field=field, counts=counts)
        if format not in LIVE_FORMATS:
            known = ", ".join(LIVE_FORMATS)
            raise UsageError(f"a log of format {format!r} cannot be followed; choose from: {known}")
        self._request = request
        self._format = format
        self._zeek_json = False
        self._located = False
        self._key: str | None = None
        self._settings: dict[bytes, bytes] = {}
        self._header_left = header

    @property
    def header(self) -> bytes:
        """The Zeek header that holds now; empty for other formats."""
        return b"".join(line + b"\n" for line in self._settings.values())

    def rows(self, piece: Piece) -> list[Row]:
        """The good and bad rows of a piece, in order.

        Raises:
            InputError: the log is compressed, or a table, or a Zeek log without a header.
            UsageError: the column is not in the log.
        """
        data, counts = piece.data, self._request.counts
        if piece.opening is not None:
            self._open(piece.opening.removeprefix(UTF8_BOM), at_start=piece.line == 1)
            if piece.line == 1:
                data = data.removeprefix(UTF8_BOM)
        rows = list(self._read(data, piece.line - 1))
        bad = sum(row.problem is not None for row in rows)
        counts.bad += bad
        counts.rows += len(rows) - bad
        return rows

    def _open(self, opening: bytes, *, at_start: bool) -> None:
        """Begin with a file that starts with ``opening``."""
        if codec_for(opening) is not None or opening.startswith(PARQUET_MAGIC):
            raise InputError("is not text; only plain text can be followed", self._request.source)
        if self._format == "auto":
            self._format = pick_format(opening, self._request)
            if self._format not in LIVE_FORMATS:
                message = f"is in format {self._format!r}, which cannot be followed"
                raise InputError(f"{message}; choose a --format", self._request.source)
        first = opening.lstrip()[:1]
        if first in (b"{", b"#"):
            self._zeek_json = first == b"{"
        self._settings.clear()
        if self._format == "zeek" and not at_start:
            self._learn(self._header_left or _leading_comments(opening))
        self._header_left = b""

    def _read(self, data: bytes, lines_before: int) -> Iterator[Row]:
        request = self._request
        if self._format == "zeek" and not self._zeek_json:
            yield from self._read_zeek(data, lines_before)
            return
        source = _Memory(data, lines_before)
        if self._format == "jsonl":
            if self._key is None:
                self._key = _json_key(data, request)
            yield from json_key_rows(source, request, self._key or "")
        elif self._format == "zeek":
            yield from read_zeek_json(source, request)
        elif self._format == "eve":
            yield from read_eve(source, request)
        else:
            yield from read_lines(source, request)

    def _read_zeek(self, data: bytes, lines_before: int) -> Iterator[Row]:
        source = _Memory(self.header + data, lines_before - len(self._settings))
        for row in read_zeek_tsv(source, self._request, required=not self._located):
            self._located = True
            yield row
        self._learn(data)

    def _learn(self, data: bytes) -> None:
        for found in _SETTING.finditer(data):
            if len(found[0]) > MAX_LINE_BYTES:
                continue  # the reader takes it for a bad row
            if found[1] == b"separator":
                self._settings.clear()
            self._settings[found[1]] = found[0]


class _Memory:
    """Some lines as an input of their own."""

    def __init__(self, data: bytes, lines_read: int) -> None:
        self.damage: str | None = None
        self.lines_read = lines_read
        self.bytes_read: int | None = None
        self._data = data

    def chunks(self) -> Iterator[bytes]:
        """The lines in chunks."""
        for start in range(0, len(self._data), _CHUNK_BYTES):
            yield self._data[start : start + _CHUNK_BYTES]

    def head(self) -> bytes:
        """The first lines."""
        return self._data[:HEAD_BYTES]


def _leading_comments(opening: bytes) -> bytes:
    lines = opening.split(b"\n")
    stop = next((i for i, line in enumerate(lines) if not line.startswith(b"#")), len(lines))
    return b"\n".join(lines[:stop])


def _json_key(data: bytes, request: ReadRequest) -> str | None:
    """The key that the first object decides for, None when there is no object.

    Raises:
        UsageError: the object has none of the keys that hold the field kind.
    """
    for line in data.split(b"\n"):
        try:
            names = tuple(decode_object(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        return pick_column(names, request)
    return None
