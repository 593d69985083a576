"""Bytes to lines in constant memory, and the plain-lines format."""

from collections.abc import Iterator
from typing import NamedTuple

from unmist.io.row import MAX_LINE_BYTES, MAX_TEXT_BYTES, ReadRequest, Row, bad_row, value_row
from unmist.io.stream import LineSource


class Line(NamedTuple):
    """One line.

    Attributes:
        number: 1-based.
        raw: the bytes without the newline; a carriage return before it is left to the format.
        problem: ``line_too_long`` (``raw`` then holds both ends only), or the damage of a
            compressed input (``raw`` then holds what came before the cut), else ``None``.
        offset: byte of the decompressed input at which it starts, where that is known.
    """

    number: int
    raw: bytes
    problem: str | None
    offset: int | None


class _PartialLine:
    """The line being put together; once over-long, only its two ends are kept."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._tail = b""
        self.size = 0

    def add(self, piece: bytes) -> None:
        if self.size + len(piece) <= MAX_LINE_BYTES:
            self._head += piece
        else:
            if self.size <= MAX_LINE_BYTES:
                self._tail = bytes(self._head[-MAX_TEXT_BYTES:])
                self._head = (self._head + piece[:MAX_TEXT_BYTES])[:MAX_TEXT_BYTES]
            self._tail = (self._tail + piece)[-MAX_TEXT_BYTES:]
        self.size += len(piece)

    def take(self, number: int, offset: int | None) -> Line:
        over_long = self.size > MAX_LINE_BYTES
        raw = bytes(self._head) + self._tail
        self._head.clear()
        self._tail = b""
        self.size = 0
        return Line(number, raw, "line_too_long" if over_long else None, offset)


def split_lines(stream: LineSource) -> Iterator[Line]:
    """The lines of ``stream``; the last one needs no newline.

    A damaged compressed input ends with one line that carries the damage: a line cut in the middle
    is another text (``example.co`` of ``example.com``) and must not pass for a good one.
    """
    partial = _PartialLine()
    number = stream.lines_read
    chunks = stream.chunks()
    chunk = next(chunks, b"")
    start = stream.bytes_read  # known once the first chunk is there
    while chunk:
        *whole, rest = chunk.split(b"\n")
        if whole:
            partial.add(whole[0])
            number += 1
            stream.lines_read = number
            size = partial.size + 1
            yield partial.take(number, start)
            start = _after(start, size)
        # A chunk is smaller than the bound on a line, so what lies inside it needs no check.
        for raw in whole[1:]:
            number += 1
            stream.lines_read = number
            yield Line(number, raw, None, start)
            start = _after(start, len(raw) + 1)
        partial.add(rest)
        chunk = next(chunks, b"")
    last = number + 1
    if stream.damage is not None:
        yield partial.take(last, start)._replace(problem=stream.damage)
    elif partial.size:
        yield partial.take(last, start)


def _after(start: int | None, size: int) -> int | None:
    return None if start is None else start + size


def read_lines(stream: LineSource, request: ReadRequest) -> Iterator[Row]:
    """Every line is one text."""
    for number, raw, problem, offset in split_lines(stream):
        if problem is not None:
            yield bad_row(raw, problem, request.source, number, offset)
        else:
            yield value_row(raw.removesuffix(b"\r"), request.source, number, offset)
