"""One record of an input, and the count of what became of every record."""

import msgspec

MAX_LINE_BYTES = 1 << 20
"""A longer line, or a longer single value, is reported and never kept whole."""

MAX_TEXT_BYTES = 8 << 10
"""UTF-8 bytes of an over-long or unparsable record that a bad row keeps."""

_HALF_TEXT_BYTES = (MAX_TEXT_BYTES - len("…".encode())) // 2


class Row(msgspec.Struct, frozen=True):
    """One text to classify, or one bad record with the reason why it is bad.

    Attributes:
        text: the value as it was read; bytes that are not UTF-8 are written ``\\xNN``. For a record
            without a usable value: the record itself, at most ``MAX_TEXT_BYTES``, both ends kept.
        source: path as given, ``-`` for standard input.
        line: 1-based line at which the record starts; for Parquet the 1-based row.
        problem: reason code of a bad row, ``None`` for a good one.
        offset: byte of the decompressed input, from 0, at which the record starts; ``None`` where
            there is none (Parquet) or it is not known (a followed log).
    """

    text: str
    source: str
    line: int
    problem: str | None = None
    offset: int | None = None


class ReadCounts(msgspec.Struct):
    """What became of the records read so far; every record is in exactly one count.

    Attributes:
        rows: good rows handed out.
        bad: bad rows handed out.
        filtered: records that hold no value of the wanted kind (another event type, an unset
            field); they are counted and not handed out.
    """

    rows: int = 0
    bad: int = 0
    filtered: int = 0

    @property
    def total(self) -> int:
        """Records seen: ``rows + bad + filtered``."""
        return self.rows + self.bad + self.filtered


class ReadRequest(msgspec.Struct, frozen=True):
    """What a reader is asked for: which input, which column, which kind of field."""

    source: str
    column: str | None
    field: str
    counts: ReadCounts


def clip_text(text: str) -> str:
    """Cut ``text`` to ``MAX_TEXT_BYTES`` of UTF-8, keeping both ends around an ellipsis."""
    data = text.encode()
    if len(data) <= MAX_TEXT_BYTES:
        return text
    head = data[:_HALF_TEXT_BYTES].decode(errors="ignore")
    tail = data[-_HALF_TEXT_BYTES:].decode(errors="ignore")
    return f"{head}…{tail}"


def bad_row(raw: bytes, problem: str, source: str, line: int, offset: int | None = None) -> Row:
    """A record that gave no usable value; what was seen of it is kept, clipped."""
    return Row(clip_text(raw.decode(errors="backslashreplace")), source, line, problem, offset)


def value_row(value: str | bytes, source: str, line: int, offset: int | None = None) -> Row:
    """The row of one value, checked: the same checks for every format.

    Args:
        value: text, or bytes that ought to be UTF-8.
        source: path as given.
        line: 1-based line or row number.
        offset: byte at which the record starts.
    """
    problem = None
    if isinstance(value, bytes):
        try:
            text = value.decode()
        except UnicodeDecodeError:
            text = value.decode(errors="backslashreplace")
            problem = "invalid_utf8"
    else:
        text = value
    if len(value) > MAX_LINE_BYTES:
        return Row(clip_text(text), source, line, "line_too_long", offset)
    if not text or text.isspace():
        problem = "empty"
    elif "\0" in text:
        problem = "nul_byte"
    return Row(text, source, line, problem, offset)
