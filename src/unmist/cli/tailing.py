"""The work of ``unmist tail``: answer what comes, and keep the place after it."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, Final

from unmist.errors import InputError

if TYPE_CHECKING:
    from unmist.cli.sinks import LineSink
    from unmist.cli.stopping import Stop
    from unmist.cli.summary import Summary
    from unmist.io import Follower, LiveReader, Piece, Position
    from unmist.model import Model

_STEP_SECONDS: Final = 0.05  # a signal is heard within this
_SAVE_SECONDS: Final = 1.0  # the state is at most this old while there is a backlog


class Tail:
    """Answers the rows of pieces."""

    def __init__(self, model: Model, reader: LiveReader, sink: LineSink, summary: Summary) -> None:
        self._model, self._sink, self._summary = model, sink, summary
        self.reader = reader

    def answer(self, piece: Piece) -> None:
        """Write the verdicts and flush them."""
        rows = self.reader.rows(piece)
        for verdicts in self._model.ask_rows(rows, self._summary.tasks):
            for verdict in verdicts:
                self._sink.write(verdict)
            self._summary.add(*verdicts)
        self._sink.flush()


class State:
    """The bookmark in a file, or nothing if there is no file for it.

    ``sync`` brings to the disk what was written until now; it is called before every save.
    """

    def __init__(self, path: Path | None, log: str) -> None:
        from unmist.io import load_bookmark

        bookmark = load_bookmark(path, log) if path is not None else None
        self.position = bookmark.position if bookmark is not None else None
        self.header = bookmark.header.encode("latin-1") if bookmark is not None else b""
        self.sync: Callable[[], None] = lambda: None
        self.log = log
        self._path = path
        self._saved_at = monotonic()

    @property
    def is_due(self) -> bool:
        """Whether it should be saved even while there is more to do."""
        return monotonic() - self._saved_at >= _SAVE_SECONDS

    def save(self, position: Position | None, header: bytes) -> None:
        """Save a place, unless it is the old one; all before it is answered and flushed."""
        from unmist.io import save_bookmark

        if self._path is None or position is None or position == self.position:
            return
        self.sync()
        save_bookmark(self._path, self.log, position, header)
        self.position, self._saved_at = position, monotonic()


def follow(
    follower: Follower, tail: Tail, state: State, stop: Stop, *, poll: float, once: bool
) -> None:
    """Answer until the signal, the end of a pipe, or with ``once`` the end of the file.

    Args:
        poll: seconds between two looks for new lines.

    Raises:
        InputError: the log cannot be read; with ``once``, there is none.
    """
    while not stop.asked:
        piece = follower.read()
        if piece is not None:
            tail.answer(piece)
        if piece is None or stop.asked or state.is_due:
            state.save(follower.position, tail.reader.header)
        if piece is not None:
            continue
        if once and follower.missing:
            raise InputError("no such file; check the path, or leave out --once", state.log)
        if once or follower.ended:
            return
        _wait(follower, poll, stop)


def _wait(follower: Follower, seconds: float, stop: Stop) -> None:
    end = monotonic() + seconds
    while not stop.asked and (left := end - monotonic()) > 0:
        if follower.wait(min(left, _STEP_SECONDS)):
            return


@contextmanager
def open_output(out: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or ``out`` at its end; a line that was torn by a crash is ended first."""
    if out is None:
        yield sys.stdout.buffer
        return
    torn = False
    if out.is_file() and out.stat().st_size:
        with out.open("rb") as before:
            before.seek(-1, os.SEEK_END)
            torn = before.read(1) != b"\n"
    with out.open("ab") as stream:
        if torn:
            stream.write(b"\n")
        yield stream


def sync_to_disk(stream: BinaryIO) -> None:
    """Bring to the disk what was flushed, where it goes to a disk."""
    try:
        os.fsync(stream.fileno())
    except ValueError:  # a stream in memory
        return
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # a pipe or a terminal
            raise
