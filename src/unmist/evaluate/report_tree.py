"""Any JSON as tables: facts, rows of the same kind, and what lies deeper folded away."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unmist.evaluate.compare.pages import interval
from unmist.evaluate.markup import Markup, join, table, tag

_COLUMNS: Final = 14  # a wider table is shown row by row instead
_ROWS: Final = 400
_FIGURE: Final = {"value", "low", "high"}


def tree(value: Any) -> Markup:
    """A JSON value as markup."""
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list):
        return _list(value)
    return tag("p", cell(value))


def cell(value: Any) -> str:
    """A value on one line: a number as it is read, a figure with its interval."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if is_figure(value):
        return interval(value, form=".3f" if abs(value["value"] or 0) < 10 else ",.4g")
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    return str(value)


def is_figure(value: Any) -> bool:
    """Whether it is a value with its interval."""
    return isinstance(value, Mapping) and set(value) == _FIGURE


def flat(value: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """The leaves of nested objects under their path."""
    found: dict[str, Any] = {}
    for key, item in value.items():
        name = f"{before}{key}"
        if isinstance(item, Mapping) and not is_figure(item):
            found |= flat(item, f"{name}: ")
        else:
            found[name] = item
    return found


def _is_leaf(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= 12 and not any(isinstance(item, (Mapping, list)) for item in value)
    return is_figure(value) or not isinstance(value, Mapping)


def _mapping(value: Mapping[str, Any]) -> Markup:
    rows = _rows(list(value.items()))
    if rows is not None:
        return rows
    facts = [(key, cell(item)) for key, item in value.items() if _is_leaf(item)]
    parts = [table(("", ""), facts)] if facts else []
    for key, item in value.items():
        if not _is_leaf(item):
            parts.append(tag("details", tag("summary", key), tree(item)))
    return join(parts)


def _list(value: Sequence[Any]) -> Markup:
    named = [(_name(item, place), item) for place, item in enumerate(value, 1)]
    rows = _rows(named) if value else None
    if rows is not None:
        return rows
    if all(_is_leaf(item) for item in value):
        return tag("p", ", ".join(cell(item) for item in value[:_ROWS]) or "-")
    return join(tag("details", tag("summary", name), tree(item)) for name, item in named[:_ROWS])


def _name(item: Any, place: int) -> str:
    known = ("name", "task", "model", "load", "cluster")
    if isinstance(item, Mapping):
        return next((str(item[key]) for key in known if key in item), str(place))
    return str(place)


def _rows(named: Sequence[tuple[str, Any]]) -> Markup | None:
    """A table of one row an object, where they are of one kind and it is not too wide."""
    if len(named) < 2 or not all(isinstance(i, Mapping) and not is_figure(i) for _, i in named):
        return None
    rows = [(name, flat(item)) for name, item in named]
    columns = list(dict.fromkeys(key for _, row in rows for key in row))
    leaves = all(_is_leaf(item) for _, row in rows for item in row.values())
    filled = sum(len(row) for _, row in rows) / (len(rows) * max(len(columns), 1))
    if not leaves or len(columns) > _COLUMNS or filled < 0.5:
        return None
    cells = [[name, *(cell(row.get(key, "")) for key in columns)] for name, row in rows[:_ROWS]]
    return table(["", *columns], cells)
