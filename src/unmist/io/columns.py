"""Which column holds a field kind, format by format, when the caller names none."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from unmist.errors import UsageError
from unmist.io.row import ReadRequest

T = TypeVar("T")

_HTTP_URI = {"http": "uri"}

ZEEK_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "hostname": {"dns": "query", "ssl": "server_name", "http": "host"},
    "url": _HTTP_URI,
    "http": _HTTP_URI,
    "header": {"http": "user_agent"},
}
"""Field kind to log path to column; the order is the order of preference."""

_TABLE_COLUMNS: Mapping[str, Sequence[str]] = {
    "hostname": ("text", "hostname", "query", "host", "domain"),
    "url": ("text", "url", "uri"),
    "http": ("text", "http", "url", "uri"),
    "header": ("text", "header", "user_agent"),
}


def pick_column(available: Sequence[str], request: ReadRequest) -> str:
    """The column to read from a table (CSV, JSONL, Parquet).

    Raises:
        UsageError: the column asked for is not there, or none was asked for and no default is;
            the message lists the columns there are.
    """
    if request.column is not None:
        candidates: Sequence[str] = (request.column,)
    else:
        candidates = _TABLE_COLUMNS.get(request.field, ("text", request.field))
    return first_column(available, candidates, request.source)


def first_column(available: Sequence[str], candidates: Sequence[str], source: str) -> str:
    """The first of ``candidates`` that is available.

    Raises:
        UsageError: none is; the message lists the columns there are.
    """
    for candidate in candidates:
        if candidate in available:
            return candidate
    wanted = " or ".join(repr(candidate) for candidate in candidates)
    listed = ", ".join(repr(name) for name in available) or "none"
    raise UsageError(f"{source}: no column {wanted}; pass --column with one of: {listed}")


def zeek_columns(request: ReadRequest) -> Mapping[str, str]:
    """Log path to column for the field kind asked for.

    Raises:
        UsageError: the field kind has no default column in Zeek logs.
    """
    return by_kind(ZEEK_COLUMNS, request, "Zeek logs")


def by_kind(table: Mapping[str, T], request: ReadRequest, where: str) -> T:
    """The entry of a field kind.

    Raises:
        UsageError: there is none.
    """
    if request.field not in table:
        known = ", ".join(table)
        message = f"no default column for field {request.field!r} in {where}"
        raise UsageError(f"{request.source}: {message}; pass --column, or a field of: {known}")
    return table[request.field]
