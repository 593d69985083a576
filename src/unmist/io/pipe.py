"""Standard input as it comes, line by line."""

import os
import select
from typing import BinaryIO

from unmist.errors import InputError
from unmist.io.pieces import OPENING_BYTES, PIECE_BYTES, READS, Held, Piece


class PipeFollower:
    """Whole lines of a pipe until its writer closes it; the last one needs no newline.

    Args:
        stdin: a binary stream of which nothing has been read.
    """

    def __init__(self, stdin: BinaryIO) -> None:
        self.ended = self.missing = False
        self.position = None
        self._stdin = stdin
        self._held = Held()
        self._fresh = True
        try:
            self._descriptor: int | None = stdin.fileno()
        except (OSError, ValueError):  # a stream in memory
            self._descriptor = None

    def read(self) -> Piece | None:
        """The next whole lines, None when there are none at the moment.

        Raises:
            InputError: reading fails.
        """
        for _ in range(READS):
            if self.ended or not self._ready(0):
                return None
            data = self._next()
            self.ended = not data
            self._held.add(data)
            line = self._held.lines + 1
            lines, _ = self._held.take(rest=self.ended)
            if lines:
                opening = lines[:OPENING_BYTES] if self._fresh else None
                self._fresh = False
                return Piece(lines, line, opening)
        return None

    def wait(self, seconds: float) -> bool:
        """Whether something came; waits for it, but not longer than that."""
        return self.ended or self._ready(seconds)

    def close(self) -> None:
        """Nothing: standard input was not opened here."""

    def _next(self) -> bytes:
        try:
            if self._descriptor is not None:
                return os.read(self._descriptor, PIECE_BYTES)
            return self._stdin.read(PIECE_BYTES)
        except OSError as error:
            raise InputError(f"reading failed ({error.strerror})", "-") from None

    def _ready(self, seconds: float) -> bool:
        if self._descriptor is None:
            return True
        return bool(select.select([self._descriptor], [], [], seconds)[0])
