"""Streaming gzip and zstd with bounded output, and damage reported instead of raised."""

import zlib
from collections.abc import Iterator
from typing import Protocol

import zstandard

MAX_RATIO = 200
"""Bytes out for each byte in that are still believed to be a log."""

RATIO_FREE_BYTES = 64 << 20
"""Output below which the ratio is not looked at: small repetitive logs compress very well."""

# One kilobyte of zstd expands to 32 MiB at the very most (a 128 KiB block takes four bytes), so
# this bounds memory without asking the codec for a limit, which zstandard does not offer together
# with telling whether a frame ended.
_SLICE_BYTES = 1 << 10
_PIECE_BYTES = 256 << 10
_MAX_WINDOW_BYTES = 128 << 20
_GZIP_WBITS = 31

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE_MAGIC = b"\x2a\x4d\x18"

MAGIC_BYTES = 4
"""Bytes needed to tell how an input is compressed."""


class DamageError(Exception):
    """The compressed data ends early or is corrupt; ``args[0]`` is the reason code."""


class LimitError(Exception):
    """The compressed data expands more than a log does; ``args[0]`` says how much."""


class Codec(Protocol):
    """A decompressor that is fed slices and knows whether it stands between two frames."""

    @property
    def complete(self) -> bool:
        """True between frames, where the input may end."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Output of one slice; raises ``DamageError`` after what could still be recovered."""


class GzipCodec:
    """Concatenated gzip members; zero padding after a member is skipped."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_GZIP_WBITS)
        self.complete = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.complete:
                data = data.lstrip(b"\0")
                if not data:
                    return
                self._member = zlib.decompressobj(_GZIP_WBITS)
                self.complete = False
            before = self._member.copy()
            try:
                output = self._member.decompress(data)
            except zlib.error:
                yield from _salvage(before, data)
                raise DamageError("corrupt_compression") from None
            yield output
            self.complete = self._member.eof
            data = self._member.unused_data


def _salvage(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    # zlib drops the output of the call that fails; byte by byte only the last byte's is lost.
    for position in range(len(data)):
        try:
            yield member.decompress(data[position : position + 1])
        except zlib.error:
            return


class ZstdCodec:
    """Concatenated zstd frames, skippable frames among them."""

    def __init__(self) -> None:
        self._context = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        self._frame = self._context.decompressobj()
        self.complete = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if self.complete:
                self._frame = self._context.decompressobj()
                self.complete = False
            try:
                output = self._frame.decompress(data)
            except zstandard.ZstdError:
                raise DamageError("corrupt_compression") from None
            yield output
            self.complete = self._frame.eof
            data = self._frame.unused_data


def codec_for(magic: bytes) -> Codec | None:
    """The codec that the first bytes ask for, ``None`` for plain data. Extensions do not count."""
    if magic.startswith(_GZIP_MAGIC):
        return GzipCodec()
    if magic.startswith(_ZSTD_MAGIC):
        return ZstdCodec()
    if magic[1:4] == _ZSTD_SKIPPABLE_MAGIC and magic[0] & 0xF0 == 0x50:
        return ZstdCodec()
    return None


def decompress(chunks: Iterator[bytes], codec: Codec) -> Iterator[bytes]:
    """Decompress ``chunks`` into pieces of at most 256 KiB.

    Raises:
        DamageError: after the last recoverable byte, when the data is cut or corrupt.
        LimitError: when the data expands more than a log does.
    """
    consumed = produced = 0
    for chunk in chunks:
        for start in range(0, len(chunk), _SLICE_BYTES):
            data = chunk[start : start + _SLICE_BYTES]
            consumed += len(data)
            for output in codec.feed(data):
                for at in range(0, len(output), _PIECE_BYTES):
                    piece = output[at : at + _PIECE_BYTES]
                    produced += len(piece)
                    _check_ratio(consumed, produced)
                    yield piece
    if not codec.complete:
        raise DamageError("truncated_compression")


def _check_ratio(consumed: int, produced: int) -> None:
    # Of its share only: readers hold a piece at a time, and a day's log may be of any size.
    if produced > RATIO_FREE_BYTES and produced > MAX_RATIO * consumed:
        raise LimitError(f"decompresses to more than {MAX_RATIO} times its size")
