"""Any input as a stream of byte chunks: opened, decompressed, peeked at, never trusted."""

import contextlib
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import IO, BinaryIO, Protocol

from unmist.errors import InputError
from unmist.io.compression import MAGIC_BYTES, DamageError, LimitError, codec_for, decompress

STDIN = "-"
HEAD_BYTES = 64 << 10
_CHUNK_BYTES = 256 << 10
UTF8_BOM = b"\xef\xbb\xbf"


class LineSource(Protocol):
    """What the readers of lines need of their input; ``ByteStream`` is one.

    Attributes:
        damage: reason code once the input turned out cut or corrupt.
        lines_read: lines handed out before; the splitter counts on from there.
        bytes_read: bytes before the next line; ``None`` where that is not known.
    """

    damage: str | None
    lines_read: int
    bytes_read: int | None

    def chunks(self) -> Iterator[bytes]:
        """The bytes, in chunks of at most 256 KiB."""

    def head(self) -> bytes:
        """The start, not consumed: one line at least, 64 KiB at most."""


class ByteStream:
    """Decompressed bytes of one input, in chunks of at most 256 KiB; a context manager.

    Attributes:
        source: path as given, ``-`` for standard input.
        damage: reason code once the compressed data turned out cut or corrupt; the chunks end
            there instead of raising, so that what came before is not lost.
        lines_read: last line handed out, kept by the line splitter for error messages.
        bytes_read: bytes of the decompressed input before the chunks: those of a byte order mark.
        raw_read: bytes read of the input as it is stored.
    """

    def __init__(self, source: str, stdin: BinaryIO | None = None) -> None:
        """Open ``source``.

        Raises:
            InputError: it is missing, a directory, or cannot be read.
        """
        self.source = source
        self.damage: str | None = None
        self.lines_read = 0
        self.bytes_read: int | None = 0
        self.raw_read = 0
        self._resources = contextlib.ExitStack()
        self._file = self._open(stdin)
        self._read: Callable[[int], bytes] = getattr(self._file, "read1", self._file.read)
        self._buffered: deque[bytes] = deque()
        try:
            self._chunks = self._decoded_chunks()
        except InputError:
            self.close()
            raise

    def __enter__(self) -> "ByteStream":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened here; standard input stays open."""
        self._resources.close()

    def chunks(self) -> Iterator[bytes]:
        """The bytes, without a UTF-8 byte order mark at the start.

        Raises:
            InputError: reading fails, or a decompression limit is exceeded.
        """
        head = self._fill(lambda head: len(head) >= len(UTF8_BOM))
        first = head.removeprefix(UTF8_BOM)
        self.bytes_read = len(head) - len(first)
        self._buffered.clear()
        if first:
            yield first
        while chunk := self._next():
            yield chunk

    def head(self) -> bytes:
        """The start, not consumed: one line at least, 64 KiB at most.

        It stops at the first line so that a live pipe is not held up until it has sent 64 KiB.
        """
        head = self._fill(lambda head: len(head) >= HEAD_BYTES or b"\n" in head.lstrip())
        return head[:HEAD_BYTES].removeprefix(UTF8_BOM)

    def seekable(self) -> IO[bytes]:
        """The whole content as a seekable file, closed with the stream.

        Formats with their index at the end need it. A plain file is used as it is; a pipe or a
        compressed input is spooled to a temporary file first, because memory must stay constant.
        """
        if not self._compressed and self.source != STDIN and self._file.seekable():
            self._file.seek(0)
            return self._file
        spool = self._resources.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
        for chunk in self.chunks():
            spool.write(chunk)
        spool.seek(0)
        return spool

    def _open(self, stdin: BinaryIO | None) -> BinaryIO:
        if self.source == STDIN:
            return stdin if stdin is not None else sys.stdin.buffer
        try:
            return self._resources.enter_context(open(self.source, "rb"))
        except FileNotFoundError:
            message = "no such file; check the path, or use - for standard input"
        except IsADirectoryError:
            message = "is a directory; name the files in it"
        except (OSError, ValueError) as error:
            message = f"cannot be opened ({_reason(error)}); check the path and its permissions"
        raise InputError(message, self.source)

    def _decoded_chunks(self) -> Iterator[bytes]:
        raw = self._raw_chunks()
        start: list[bytes] = []
        while sum(map(len, start)) < MAGIC_BYTES and (chunk := next(raw, b"")):
            start.append(chunk)
        magic = b"".join(start)
        codec = codec_for(magic)
        self._compressed = codec is not None
        everything = _chain(magic, raw)
        return everything if codec is None else decompress(everything, codec)

    def _raw_chunks(self) -> Iterator[bytes]:
        while True:
            try:
                chunk = self._read(_CHUNK_BYTES)
            except (OSError, ValueError) as error:
                message = f"reading failed ({_reason(error)}); check the file and run again"
                raise InputError(message, self.source, self.lines_read) from None
            if not chunk:
                return
            self.raw_read += len(chunk)
            yield chunk

    def _next(self) -> bytes:
        try:
            return next(self._chunks, b"")
        except DamageError as error:
            self.damage = str(error)
            return b""
        except LimitError as error:
            message = f"{error}; if it is trusted, decompress it first"
            raise InputError(message, self.source, self.lines_read) from None

    def _fill(self, enough: Callable[[bytes], bool]) -> bytes:
        head = b"".join(self._buffered)
        while not enough(head) and (chunk := self._next()):
            head += chunk
        self._buffered = deque([head])
        return head


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    yield from rest


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
