"""Labelled files: TSV with columns text and label, compressed or not."""

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import zstandard

from unmist.errors import InputError

_UNESCAPED = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}


@dataclass(frozen=True)
class Example:
    """One labelled row of a task file."""

    text: str
    label: str
    group: str


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
        return [
            Example(_unescape(row["text"]), row["label"], row.get("group") or row["text"])
            for row in reader
        ]


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out, i = [], 0
    while i < len(text):
        pair = text[i : i + 2]
        out.append(_UNESCAPED.get(pair, text[i]))
        i += 2 if pair in _UNESCAPED else 1
    return "".join(out)


def open_text(path: Path) -> IO[str]:
    """A text file, decompressed by its first bytes. Raises InputError when it cannot be opened."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", str(path)) from error
    magic = raw.read(4)
    raw.seek(0)
    stream: IO[bytes] = raw
    if magic == b"\x28\xb5\x2f\xfd":
        stream = zstandard.ZstdDecompressor().stream_reader(raw, closefd=True)
    elif magic[:2] == b"\x1f\x8b":
        stream = gzip.open(raw)
    return io.TextIOWrapper(stream, encoding="utf-8", newline="\n")
