"""Which parts are finished: one line each, appended after the part is on the disk."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from unmist.batch.disk import output_error, sync_folder
from unmist.errors import OutputError

NAME = "manifest.jsonl"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One finished part. Field order is the order in the file.

    Attributes:
        part: number, from 1, over all inputs.
        input: path of the input, as in ``job.json``.
        first: number of its first record within the input, from 1.
        last: number of its last one; ``last - first + 1 == rows + bad + filtered``.
        offset: byte of the decompressed input at which its first row starts; ``None`` for Parquet
            and for a part without rows.
        rows: rows in the part.
        bad: dead letters of the part.
        filtered: records that hold nothing of the wanted kind.
        bytes: size of the part.
        sha256: SHA-256 of the part.
        end: whether the input ends here.
    """

    part: int
    input: str
    first: int
    last: int
    offset: int | None
    rows: int
    bad: int
    filtered: int
    bytes: int
    sha256: str
    end: bool


class Manifest:
    """The finished parts of a job folder, in order.

    Opening it drops a last line that was torn by a kill or a power cut: its part counts as not
    finished and is written again.

    Raises:
        OutputError: the file cannot be read, or a line other than the last one is damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._encoder = msgspec.json.Encoder()
        try:
            data = self._path.read_bytes() if self._path.exists() else None
        except OSError as error:
            raise output_error(self._path, error) from None
        self.parts: list[Part] = []
        self._by_input: dict[str, list[Part]] = {}
        for part in self._parse(data or b""):
            self._add(part)
        self._size = sum(len(self._line(part)) for part in self.parts)
        if data is None or self._size != len(data):
            self._cut()
            sync_folder(folder)

    @property
    def next_number(self) -> int:
        """Number of the part to write next."""
        return len(self.parts) + 1

    def of(self, path: str) -> list[Part]:
        """The finished parts of an input."""
        return self._by_input.get(path, [])

    def append(self, part: Part) -> None:
        """Record a part that is on the disk.

        Raises:
            OutputError: it cannot be written; the part then counts as not finished.
        """
        line = self._line(part)
        try:
            with open(self._path, "ab", buffering=0) as file:
                if file.write(line) != len(line):
                    raise OSError("the disk took a part of a line")
                os.fsync(file.fileno())
        except OSError as error:
            # What may be there of the line would be dropped at the next start, too.
            raise output_error(self._path, error) from None
        self._add(part)
        self._size += len(line)

    def _add(self, part: Part) -> None:
        self.parts.append(part)
        self._by_input.setdefault(part.input, []).append(part)

    def _line(self, part: Part) -> bytes:
        return self._encoder.encode(part) + b"\n"

    def _parse(self, data: bytes) -> Iterator[Part]:
        lines = data.splitlines(keepends=True)
        for number, line in enumerate(lines, start=1):
            try:
                part = msgspec.json.decode(line, type=Part)
                whole = line == self._line(part) and part.part == number
            except (msgspec.DecodeError, UnicodeDecodeError):
                whole = False
            if whole:
                yield part
            elif number < len(lines):
                message = "is damaged; restore it, or start again in another folder"
                raise OutputError(f"{self._path}: line {number} {message}")

    def _cut(self) -> None:
        try:
            with open(self._path, "ab", buffering=0) as file:
                file.truncate(self._size)
                os.fsync(file.fileno())
        except OSError as error:
            raise output_error(self._path, error) from None
