"""A log that grows: new whole lines as they come, through rotation and truncation, as ``tail -F``.

What is followed is a name. The file that is open is read to its end, also after it was renamed,
before the next file of that name is begun.
"""

import contextlib
import hashlib
import io
import os
import stat
import time
from collections.abc import Callable
from typing import Final

from unmist.errors import InputError
from unmist.io.pieces import OPENING_BYTES, PIECE_BYTES, READS, Held, Piece, Position

_MARK_BYTES: Final = 256
_COUNT_BYTES: Final = 1 << 20


class FileFollower:
    """Follows a name in the file system.

    A line without its newline is held back until the newline comes; it is handed out without one
    only when another file has taken the name and this one does not grow any more. What is held back
    when a file is truncated is dropped.

    A file that is truncated and grows beyond its old size between two calls is noticed by its first
    256 bytes. Files that come and go between two calls are not seen.

    Args:
        path: the name; nothing need be there yet.
        position: where to go on; the file may have been renamed since, within its folder.
        from_start: without a position, begin with what is there and not after it. A file that
            only appears later is always read from its start.
        report: told in a line what happens to the file.
    """

    def __init__(
        self,
        path: str,
        *,
        position: Position | None = None,
        from_start: bool = False,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.path = path
        self.ended = False
        self._start = position
        self._from_start = from_start
        self._report = report
        self._open: _OpenFile | None = None

    @property
    def missing(self) -> bool:
        """Whether no file of that name has been found so far."""
        return self._open is None

    @property
    def position(self) -> Position | None:
        """Where to go on after the pieces so far; until there is a file, what was given."""
        return self._start if self._open is None else self._open.position()

    def read(self) -> Piece | None:
        """The next whole lines, None when there are none at the moment.

        Raises:
            InputError: what is there cannot be read, or is no regular file.
        """
        if self._open is None:
            self._open = self._begin()
        if self._open is None:
            return None
        try:
            return self._read(self._open)
        except OSError as error:
            raise InputError(f"reading failed ({error.strerror})", self.path) from None

    def wait(self, seconds: float) -> bool:
        """Let that time pass."""
        time.sleep(seconds)
        return False

    def close(self) -> None:
        """Close the file."""
        if self._open is not None:
            self._open.close()
            self._open = None

    def _read(self, file: "_OpenFile") -> Piece | None:
        if file.rewritten():
            self._report(f"{self.path}: was truncated; reading it from its start")
            file.go_to(0, 0)
        for _ in range(READS):
            if not file.grow():
                return self._at_end(file)
            if piece := file.piece():
                return piece
        return None

    def _at_end(self, file: "_OpenFile") -> Piece | None:
        """All is read: stay, or if another file has taken the name, go on with that one."""
        try:
            replaced = os.stat(self.path).st_ino != file.inode
        except OSError:  # renamed, and the next file is not there yet
            replaced = False
        if not replaced:
            return None
        if not file.finished:
            file.finished = True  # its writer may not have noticed yet: look once more
            return None
        successor = _open(self.path)
        if successor is None:
            return None
        last = file.piece(rest=True)
        file.close()
        self._open = successor
        return last if last is not None else self._read(successor)

    def _begin(self) -> "_OpenFile | None":
        """The file to begin with, at the place to begin at; None while there is none."""
        file, start = _open(self.path), self._start
        if start is not None:
            return self._go_on(file, start)
        if file is None:
            self._from_start = True
        elif not self._from_start:
            file.go_to_end()
        return file

    def _go_on(self, file: "_OpenFile | None", start: Position) -> "_OpenFile | None":
        if file is not None and file.has(start):
            file.go_to(start.offset, start.line)
            return file
        renamed = _find(os.path.dirname(self.path) or ".", start)
        if renamed is None:
            if file is not None:
                self._report(f"{self.path}: is not the file as it was left; reading all of it")
            return file
        if file is not None:
            file.close()
        self._report(f"{self.path}: was renamed meanwhile; reading the rest of it first")
        renamed.rotated = True
        renamed.go_to(start.offset, start.line)
        return renamed


class _OpenFile:
    """One file that is being read, under whatever name.

    Attributes:
        inode: of the file.
        finished: it was at its end when another file had its name.
        rotated: it was opened after it had lost its name, so no one writes to it.
    """

    def __init__(self, file: io.FileIO) -> None:
        self._file = file
        self.inode = os.fstat(file.fileno()).st_ino
        self.rotated = False
        self.go_to(0, 0)

    def close(self) -> None:
        """Close it."""
        self._file.close()

    def go_to(self, offset: int, line: int) -> None:
        """Go on after that many bytes and lines."""
        self._file.seek(offset)
        self._offset = self._read_to = offset
        self._start = self._peek(min(_MARK_BYTES, offset))
        self._held = Held(line)
        self._fresh = True
        self.finished = self.rotated

    def go_to_end(self) -> None:
        """Go on after the last newline."""
        offset = line = at = 0
        while data := self._file.read(_COUNT_BYTES):
            if count := data.count(b"\n"):
                line += count
                offset = at + data.rfind(b"\n") + 1
            at += len(data)
        self.go_to(offset, line)

    def grow(self) -> bool:
        """Read on; False at the end."""
        data = self._file.read(PIECE_BYTES)
        if not data:
            return False
        self.finished = self.rotated
        self._start += data[: max(0, _MARK_BYTES - self._read_to)]
        self._read_to += len(data)
        self._held.add(data)
        return True

    def piece(self, *, rest: bool = False) -> Piece | None:
        """What was read and is a whole line, or with ``rest`` all of it."""
        line = self._held.lines + 1
        data, size = self._held.take(rest=rest)
        if not data:
            return None
        self._offset += size
        opening = self._peek(OPENING_BYTES) if self._fresh else None
        self._fresh = False
        return Piece(data, line, opening)

    def position(self) -> Position:
        """The place after the lines handed out."""
        start = self._start[: self._offset]
        digest = hashlib.sha256(start).hexdigest()
        return Position(self.inode, self._offset, self._held.lines, len(start), digest)

    def rewritten(self) -> bool:
        """Whether it is shorter than what was read of it, or begins otherwise."""
        size = os.fstat(self._file.fileno()).st_size
        if size == self._read_to:
            return False
        return size < self._read_to or self._peek(len(self._start)) != self._start

    def has(self, position: Position) -> bool:
        """Whether this is the file of that position, and still has what was before it."""
        if self.inode != position.inode:
            return False
        if os.fstat(self._file.fileno()).st_size < position.offset:
            return False
        return hashlib.sha256(self._peek(position.mark_bytes)).hexdigest() == position.mark

    def _peek(self, size: int) -> bytes:
        return os.pread(self._file.fileno(), size, 0)


def _open(path: str) -> _OpenFile | None:
    """The file at its start, None when there is none."""
    try:
        # Looked at first, because opening a pipe would wait for its writer.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise InputError("is not a regular file; for a pipe use - and redirect it", path)
        return _OpenFile(io.FileIO(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(f"cannot be opened ({reason})", path) from None


def _find(folder: str, position: Position) -> _OpenFile | None:
    """The file of that position, under whatever name in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.inode() != position.inode or not entry.is_file(follow_symlinks=False):
                continue
            file = _open(entry.path)
            if file is not None and file.has(position):
                return file
            if file is not None:
                file.close()
    return None
