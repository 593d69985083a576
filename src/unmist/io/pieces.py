"""What following a log hands out: whole lines, and the place after them."""

from typing import Final, NamedTuple, Protocol

import msgspec

from unmist.io.row import MAX_LINE_BYTES, MAX_TEXT_BYTES

PIECE_BYTES: Final = 64 << 10
"""Bytes read at once; a piece is longer only where a single line is."""

OPENING_BYTES: Final = 64 << 10
"""First bytes of a file that go with its first piece."""

READS: Final = 64
"""Reads in one call while no line ends, so that a caller who wants to stop is heard."""


class Position(msgspec.Struct, frozen=True):
    """A place in a file, good enough to find it again after the file was renamed.

    Attributes:
        inode: of the file.
        offset: bytes before it; whole lines, unless the file was finished without a newline.
        line: lines before it.
        mark_bytes: how many of the file's first bytes ``mark`` is of.
        mark: their SHA-256, by which a rewritten file is told from one that has grown.
    """

    inode: int
    offset: int
    line: int
    mark_bytes: int
    mark: str


class Piece(NamedTuple):
    """Consecutive whole lines.

    Attributes:
        data: the lines with their newlines, which only the last line of a finished file may lack.
        line: 1-based number of the first line.
        opening: with the first piece of a file the start of that file, else None.
    """

    data: bytes
    line: int
    opening: bytes | None


class Follower(Protocol):
    """Hands out pieces; not for two threads at once."""

    @property
    def ended(self) -> bool:
        """Whether nothing can follow any more."""

    @property
    def missing(self) -> bool:
        """Whether nothing has been found to read so far."""

    @property
    def position(self) -> Position | None:
        """Where to go on after the pieces so far; None when that cannot be told."""

    def read(self) -> Piece | None:
        """The next piece, None when there is none at the moment. Does not wait."""

    def wait(self, seconds: float) -> bool:
        """Let that time pass; True at once if it is known that something came."""

    def close(self) -> None:
        """Let go of the file."""


class Held:
    """Bytes that were read and not handed out: a line that has no newline yet.

    Of an over-long line only both ends are held, and still more than a line may have, so that
    whoever splits the lines takes it for the over-long line that it is.

    Attributes:
        lines: lines handed out.
    """

    def __init__(self, lines: int = 0) -> None:
        self.lines = lines
        self._data = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Hold more; ``take`` comes between two calls."""
        self._data += data
        if len(self._data) > MAX_LINE_BYTES + PIECE_BYTES and b"\n" not in data:
            middle = slice(MAX_LINE_BYTES, len(self._data) - MAX_TEXT_BYTES)
            self._left_out += middle.stop - middle.start
            del self._data[middle]

    def take(self, *, rest: bool = False) -> tuple[bytes, int]:
        """The whole lines, or with ``rest`` everything, and how many bytes of the file that is."""
        stop = len(self._data) if rest else self._data.rfind(b"\n") + 1
        if not stop:
            return b"", 0
        data = bytes(self._data[:stop])
        del self._data[:stop]
        size, self._left_out = stop + self._left_out, 0
        self.lines += data.count(b"\n") + (not data.endswith(b"\n"))
        return data, size
