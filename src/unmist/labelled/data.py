"""Labelled files: columns text and label, compressed or not."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from unmist.errors import InputError
from unmist.io.compression import MAGIC_BYTES, DamageError, LimitError, codec_for, decompress

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_CHUNK = 256 << 10

_UNESCAPED = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}


@dataclass(frozen=True)
class Example:
    """One labelled row of a task file."""

    text: str
    label: str
    group: str
    source: str = ""


def examples(path: Path) -> list[Example]:
    """All rows of a labelled TSV; a column ``group`` says which rows must not be split apart.

    Raises:
        InputError: the file cannot be read, or lacks the columns text and label.
    """
    with open_text(path) as stream:
        reader = csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE)
        columns = reader.fieldnames or []
        if "text" not in columns or "label" not in columns:
            raise InputError(f"expected columns text and label, found {columns}", str(path), 1)
        rows = []
        for row in reader:
            text, label = row["text"], row["label"]
            if text is None or label is None:
                raise InputError("no text or no label here", str(path), reader.line_num)
            group, source = row.get("group") or text, row.get("source") or ""
            rows.append(Example(_unescape(text), label, group, source))
        return rows


def labelled(path: Path) -> list[Example]:
    """All rows of a labelled file of any kind, by its name: a TSV as :func:`examples` reads it,
    else what ``unmist train`` reads. Rows without a text or a label are an error in the first and
    left out in the others.

    Raises:
        InputError: the file cannot be read, or lacks the columns text and label.
        UsageError: a file of another kind lacks these columns.
    """
    if ".tsv" in path.suffixes or path.suffix in ("", ".zst", ".gz"):
        return examples(path)
    from unmist.labelled import table

    rows = table.read(path, "text", "label")
    return [Example(t, n, t) for t, n in zip(rows.texts, rows.labels, strict=True)]


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out, i = [], 0
    while i < len(text):
        pair = text[i : i + 2]
        out.append(_UNESCAPED.get(pair, text[i]))
        i += 2 if pair in _UNESCAPED else 1
    return "".join(out)


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a file."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = piece
        part, self._left = self._left[: len(view)], self._left[len(view) :]
        view[: len(part)] = part
        return len(part)


@contextmanager
def open_text(path: Path) -> Iterator[IO[str]]:
    """A text file, decompressed by its first bytes.

    Raises:
        InputError: it cannot be opened, is damaged or cut short, or is not UTF-8.
    """
    try:
        with path.open("rb") as raw:
            codec = codec_for(raw.read(MAGIC_BYTES))
            raw.seek(0)
            if codec is None:
                yield io.TextIOWrapper(raw, encoding="utf-8", newline="\n")
            else:
                pieces = _Pieces(decompress(iter(lambda: raw.read(_CHUNK), b""), codec))
                buffered = io.BufferedReader(pieces)
                yield io.TextIOWrapper(buffered, encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", str(path)) from error
    except (DamageError, LimitError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"cannot be read ({error})", str(path)) from error
