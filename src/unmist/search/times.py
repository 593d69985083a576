"""Times in whatever a log writes them, as one Arrow type."""

from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

TIME: Final = pa.timestamp("us", "UTC")
COLUMNS: Final = ("time", "timestamp", "ts", "@timestamp", "date")
"""Where the time is looked for, in this order, when no column is named."""

_MICROSECONDS: Final = ((1e17, 1e-3), (1e14, 1.0), (1e11, 1e3), (0.0, 1e6))
"""Numbers of at least this size are nano-, micro-, milliseconds; smaller ones seconds."""


def to_time(column: pa.ChunkedArray) -> pa.Array:
    """The values as :data:`TIME`; null for what is no time.

    Timestamps without a zone are taken for UTC. Numbers are counted from 1970, in the unit that
    their size suggests. Strings are ISO 8601 or numbers.
    """
    kind = column.type
    if pa.types.is_timestamp(kind):
        if kind.tz is None:
            column = pc.assume_timezone(column, "UTC")
        return pa.concat_arrays([pa.array([], TIME), *column.cast(TIME, safe=False).chunks])
    if pa.types.is_date(kind):
        return to_time(column.cast(pa.timestamp("us")))
    return pa.array([_microseconds(value) for value in column.to_pylist()], pa.int64()).cast(TIME)


def parse_time(text: str) -> datetime | None:
    """ISO 8601 (a date, or a date and time; UTC without a zone) or seconds since 1970."""
    microseconds = _microseconds(text)
    if microseconds is None:
        return None
    seconds, rest = divmod(microseconds, 1_000_000)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
    except (OverflowError, ValueError, OSError):
        return None


def _microseconds(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    except ValueError:
        return _iso(str(value))
    for least, factor in _MICROSECONDS:
        if abs(number) >= least:
            scaled = number * factor
            return round(scaled) if abs(scaled) < 2.5e17 else None  # year 9891
    return None  # not a number


def _iso(text: str) -> int | None:
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    past = time - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
