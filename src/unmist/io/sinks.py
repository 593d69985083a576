"""Where answers go: files that appear whole or not at all, and verdicts as JSON, one a line."""

import contextlib
import io
import os
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from unmist.errors import OutputError
from unmist.verdict import Verdict

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_BUFFER_BYTES = 64 << 10
_FILE_MODE = 0o666  # less the umask, as for any new file


class _RawOutput(io.FileIO):
    """A file whose failed writes are ``OutputError``, whoever does the writing."""

    def __init__(self, temporary: str, path: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        super().__init__(temporary, "wb", opener=lambda name, _: os.open(name, flags, _FILE_MODE))
        self._path = path

    def write(self, data: "ReadableBuffer", /) -> int:
        try:
            return super().write(data)
        except OSError as error:
            raise _output_error(self._path, error) from None


class AtomicFile:
    """A binary file that replaces ``path`` only once it is whole and on the disk.

    A context manager that gives the file. It is written under a temporary name in the same
    folder; after an exception that one is removed and ``path`` is as it was. A symbolic link is
    followed, so that its target is replaced.

    Raises:
        OutputError: the file cannot be created, written or put in place.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)

    def __enter__(self) -> BinaryIO:
        self._target = os.path.realpath(self._path)
        if os.path.lexists(self._target) and not os.path.isfile(self._target):
            # Replacing would turn a device or a pipe into a file.
            message = "exists and is not a regular file; name a file, or use - for standard output"
            raise OutputError(f"{self._path}: {message}")
        folder, name = os.path.split(self._target)
        # A long name is cut, because the temporary one must fit the file system as well.
        self._temporary = os.path.join(folder, f".{name[:64]}.{secrets.token_hex(8)}.tmp")
        try:
            raw = _RawOutput(self._temporary, self._path)
        except (OSError, ValueError) as error:
            raise _output_error(self._path, error) from None
        self._file = io.BufferedWriter(raw, _BUFFER_BYTES)
        return self._file

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is not None:
            self._discard()
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            os.replace(self._temporary, self._target)
            _sync_folder(os.path.dirname(self._target))
        except OSError as error:
            self._discard()
            raise _output_error(self._path, error) from None
        except BaseException:
            self._discard()
            raise

    def _discard(self) -> None:
        # Closing flushes; what made writing fail may well make that fail again.
        with contextlib.suppress(OSError, OutputError):
            self._file.close()
        with contextlib.suppress(OSError):
            os.unlink(self._temporary)


def _sync_folder(folder: str) -> None:
    # The new name survives a power cut only once its folder is on the disk, too.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _output_error(path: str, error: Exception) -> OutputError:
    reason = getattr(error, "strerror", None) or str(error)
    return OutputError(f"{path}: cannot be written ({reason}); check the folder and its free space")


class VerdictWriter:
    """Verdicts on a binary stream, one JSON object a line, keys in the order of the fields.

    A context manager that flushes at its end and does not close the stream. Errors of the stream,
    a broken pipe among them, reach the caller as they are.

    Args:
        stream: where the lines go.
        shape: what is written of a verdict; None for the verdict itself.
    """

    def __init__(self, stream: BinaryIO, shape: Callable[[Verdict], object] | None = None) -> None:
        self._stream = stream
        self._shape = shape
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()

    def write(self, verdict: Verdict) -> None:
        """Append one verdict; it is on the stream after ``flush`` at the latest."""
        written = verdict if self._shape is None else self._shape(verdict)
        self._encoder.encode_into(written, self._buffer, -1)
        self._buffer += b"\n"
        if len(self._buffer) >= _BUFFER_BYTES:
            self._write_out()

    def flush(self) -> None:
        """Hand everything to the stream and flush the stream."""
        self._write_out()
        self._stream.flush()

    def _write_out(self) -> None:
        # Taken out first: after a failed write a second flush must not send lines twice.
        data, self._buffer = self._buffer, bytearray()
        self._stream.write(data)

    def __enter__(self) -> "VerdictWriter":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Verdicts made before another input failed still count; a failed stream takes no more.
        if exc_type is None or not issubclass(exc_type, OSError | OutputError):
            self.flush()
