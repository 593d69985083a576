import tracemalloc
from collections.abc import Callable, Iterator

import pytest

from unmist.io import MAX_LINE_BYTES, MAX_TEXT_BYTES
from unmist.io.lines import split_lines

Table = Callable[..., list[tuple[int, str, str | None]]]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b"", []),
        (b"one", [(1, "one", None)]),
        (b"one\n", [(1, "one", None)]),
        (b"one\r\ntwo\r\n", [(1, "one", None), (2, "two", None)]),
        (b"one\rtwo\n", [(1, "one\rtwo", None)]),
        (b"a\n\n \nb\n", [(1, "a", None), (2, "", "empty"), (3, " ", "empty"), (4, "b", None)]),
        (b"a\0b\nc\n", [(1, "a\0b", "nul_byte"), (2, "c", None)]),
        (b"\xffx\nc\n", [(1, "\\xffx", "invalid_utf8"), (2, "c", None)]),
        (b"\\xff\n", [(1, "\\xff", None)]),
    ],
)
def test_lines(data: bytes, rows: list[tuple[int, str, str | None]], table: Table) -> None:
    assert table(data, format="lines") == rows


def test_over_long_line_keeps_both_ends_and_the_numbers_go_on(table: Table) -> None:
    rows = table(b"a\nstart" + b"x" * (2 * MAX_LINE_BYTES) + b"end\nb\n")
    assert rows[0] == (1, "a", None)
    assert rows[2] == (3, "b", None)
    line, text, problem = rows[1]
    assert (line, problem) == (2, "line_too_long")
    assert text.startswith("startx")
    assert text.endswith("xend")
    assert text.count("…") == 1
    assert len(text.encode()) <= MAX_TEXT_BYTES


@pytest.mark.parametrize(("extra", "problem"), [(0, None), (1, "line_too_long")])
def test_limit_is_exact(extra: int, problem: str | None, table: Table) -> None:
    assert table(b"x" * (MAX_LINE_BYTES + extra))[0][2] == problem


class _Chunks:
    """Stands in for a stream whose chunks the test chooses."""

    damage: str | None = None
    lines_read = 0
    bytes_read = 0

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks

    def chunks(self) -> Iterator[bytes]:
        return self._chunks


def test_memory_of_an_endless_line_is_bounded() -> None:
    chunks = _Chunks(b"x" * 65536 for _ in range(1600))
    tracemalloc.start()
    try:
        (line,) = split_lines(chunks)  # type: ignore[arg-type]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert line.problem == "line_too_long"
    assert peak < 8 * MAX_LINE_BYTES


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_chunk_borders_do_not_matter(size: int) -> None:
    data = b"one\r\n\n\ntwo\nthree"
    pieces = (data[at : at + size] for at in range(0, len(data), size))
    lines = [line.raw for line in split_lines(_Chunks(pieces))]  # type: ignore[arg-type]
    assert lines == data.split(b"\n")
