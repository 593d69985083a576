"""One JSON object a line: what every such format shares, and plain JSONL."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from unmist.io.columns import pick_column
from unmist.io.lines import split_lines
from unmist.io.row import ReadRequest, Row, bad_row, value_row
from unmist.io.stream import LineSource

Extract = Callable[[bytes], Sequence[object]]
"""The values of the wanted kind in one line; ``None`` among them stands for an unset one.

Raises ``RecordError`` for a record it cannot use, and whatever msgspec raises for bad JSON.
"""

_object_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
_SURROGATE = re.compile("[\udc80-\udcff]")
_REPAIRED = re.compile(r"\\x[89a-f][0-9a-f]")


class RecordError(Exception):
    """A record that is valid JSON and still of no use; ``args[0]`` is the reason code."""


def decode_object(line: bytes) -> dict[str, msgspec.Raw]:
    """The members of a JSON object, their values not decoded yet."""
    return _object_decoder.decode(line)


def decode_value(raw: msgspec.Raw) -> Any:
    """One member that ``decode_object`` left undecoded."""
    return msgspec.json.decode(raw)


def json_rows(stream: LineSource, request: ReadRequest, extract: Extract) -> Iterator[Row]:
    """Rows of the values that ``extract`` finds; every other line is a bad row or filtered."""
    source, counts = request.source, request.counts
    for number, raw, problem, offset in split_lines(stream):
        repaired = False
        if problem is None:
            values, problem, repaired = _values(raw, extract)
        if problem is not None:
            yield bad_row(raw, problem, source, number, offset)
            continue
        if not values:
            counts.filtered += 1
        for value in values:
            if value is None:
                counts.filtered += 1
            elif not isinstance(value, str):
                yield bad_row(raw, "wrong_type", source, number, offset)
            elif repaired and _REPAIRED.search(value):
                yield Row(value, source, number, "invalid_utf8", offset)
            else:
                yield value_row(value, source, number, offset)


def _values(line: bytes, extract: Extract) -> tuple[Sequence[object], str | None, bool]:
    """Values, problem, and whether bytes that are not UTF-8 had to be written as ``\\xNN``."""
    if not line or line.isspace():
        return (), "empty", False
    try:
        return extract(line), None, False
    except UnicodeDecodeError:
        repaired = escape_invalid_utf8(line)
    except (msgspec.DecodeError, RecordError, RecursionError) as error:
        return (), _problem_of(line, error), False
    try:
        return extract(repaired), None, True
    except (msgspec.DecodeError, RecordError, RecursionError) as error:
        return (), _problem_of(line, error), True


def _problem_of(line: bytes, error: Exception) -> str:
    if isinstance(error, RecordError):
        return str(error)
    if isinstance(error, msgspec.ValidationError):
        return "wrong_type" if line.lstrip().startswith(b"{") else "not_an_object"
    return "malformed_json"


def escape_invalid_utf8(line: bytes) -> bytes:
    """JSON with every byte that is not UTF-8 written ``\\xNN``."""
    # Inside JSON the backslash of \xNN has to be escaped itself.
    text = line.decode(errors="surrogateescape")
    return _SURROGATE.sub(lambda match: f"\\\\x{ord(match[0]) - 0xDC00:02x}", text).encode()


class JsonRecord(NamedTuple):
    """One record with all of its members.

    Attributes:
        row: the text asked for, or what is wrong with the record.
        column: key of the text, ``None`` while no object has been seen.
        members: key to undecoded value; without meaning for a bad row.
    """

    row: Row
    column: str | None
    members: dict[str, msgspec.Raw]


def read_jsonl(stream: LineSource, request: ReadRequest) -> Iterator[Row]:
    """The rows of one key of JSONL; without a column the first object decides which.

    Raises:
        UsageError: the first object does not have the column; the message lists its keys.
    """
    return (record.row for record in jsonl_records(stream, request))


def jsonl_records(stream: LineSource, request: ReadRequest) -> Iterator[JsonRecord]:
    """As ``read_jsonl``, with all members."""
    column: str | None = None
    members: dict[str, msgspec.Raw] = {}

    def extract(line: bytes) -> Sequence[object]:
        nonlocal column, members
        members = decode_object(line)
        if column is None:
            column = pick_column(tuple(members), request)
        return _value(members, column)

    # At most one row a line, so the members are those of the line that the row is of.
    for row in json_rows(stream, request, extract):
        yield JsonRecord(row, column, members)


def json_key_rows(stream: LineSource, request: ReadRequest, key: str) -> Iterator[Row]:
    """The rows of one key of JSONL, which no object need have."""
    return json_rows(stream, request, lambda line: _value(decode_object(line), key))


def _value(members: dict[str, msgspec.Raw], key: str) -> Sequence[object]:
    if key not in members:
        raise RecordError("missing_column")
    value = decode_value(members[key])
    if value is None:
        raise RecordError("missing_value")
    return (value,)
