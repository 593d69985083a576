"""Small plots as inline SVG, coloured by the page's style sheet, so that they follow its theme."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from unmist.evaluate.markup import Markup, join, tag

WIDTH: Final = 860
_LEFT: Final = 250  # for names
_RIGHT: Final = 24
_ROW: Final = 24
SERIES: Final = 6  # classes s0 to s5 of the style sheet


@dataclass(frozen=True)
class Point:
    """One value with its interval, which is empty where there is none. ``series`` decides the
    colour, ``tip`` is shown on hovering."""

    value: float
    low: float | None = None
    high: float | None = None
    series: int = 0
    tip: str = ""


def dots(
    title: str, rows: Sequence[tuple[str, Sequence[Point]]], names: Sequence[str] = ()
) -> Markup:
    """Values side by side: one line a row, one dot a series, with whiskers."""
    every = [
        x for _, points in rows for p in points for x in (p.value, p.low, p.high) if x is not None
    ]
    if not every:
        return Markup("")
    low, high, marks = scale(min(every), max(every))
    top = 30 if names else 8
    height = top + _ROW * len(rows) + 30

    def across(x: float) -> float:
        return _LEFT + (x - low) / (high - low) * (WIDTH - _LEFT - _RIGHT)

    parts = [_legend(names)]
    bottom = top + _ROW * len(rows)
    for mark in marks:
        x = across(mark)
        parts.append(tag("line", x1=_n(x), x2=_n(x), y1=top, y2=bottom, class_="grid"))
        parts.append(tag("text", _short(mark), x=_n(x), y=bottom + 18, text_anchor="middle"))
    for place, (name, points) in enumerate(rows):
        y = top + _ROW * (place + 0.5)
        parts.append(tag("text", _cut(name), x=_LEFT - 12, y=_n(y + 4), text_anchor="end"))
        spread = 5.0 if len(points) > 1 else 0.0
        for i, point in enumerate(points):
            parts.append(_dot(point, across, y + spread * (i - (len(points) - 1) / 2)))
    return _svg(title, height, parts)


def bars(title: str, rows: Sequence[tuple[str, float]], unit: str = "") -> Markup:
    """One bar a row, from zero."""
    most = max((value for _, value in rows), default=0)
    if most <= 0:
        return Markup("")
    parts = []
    for place, (name, value) in enumerate(rows):
        y = 8 + _ROW * place
        wide = max(value, 0) / most * (WIDTH - _LEFT - 150)
        parts.append(tag("text", _cut(name), x=_LEFT - 12, y=y + 15, text_anchor="end"))
        parts.append(tag("rect", x=_LEFT, y=y + 4, width=_n(wide), height=14, class_="bar"))
        said = f"{value:,.4g} {unit}".strip()
        parts.append(tag("text", said, x=_n(_LEFT + wide + 8), y=y + 15))
    return _svg(title, 16 + _ROW * len(rows), parts)


@dataclass(frozen=True)
class Spot:
    """A point of a scatter plot; ``x`` is laid out by its logarithm."""

    x: float
    y: Point
    name: str
    marked: bool = False


def scatter(title: str, spots: Sequence[Spot], names: Sequence[str], under: str) -> Markup:
    """Values over the logarithm of a size; names are in the tips and in the table beside it."""
    if not spots:
        return Markup("")
    height, left, top, bottom = 420, 70, 34, 366
    ys = [y for s in spots for y in (s.y.value, s.y.low, s.y.high) if y is not None]
    low, high, marks = scale(min(ys), max(ys))
    first = math.floor(math.log10(min(s.x for s in spots)))
    last = max(math.ceil(math.log10(max(s.x for s in spots))), first + 1)

    def across(x: float) -> float:
        return left + (math.log10(x) - first) / (last - first) * (WIDTH - left - _RIGHT)

    def up(y: float) -> float:
        return bottom - (y - low) / (high - low) * (bottom - top)

    parts = [_legend(names)]
    for mark in marks:
        y = _n(up(mark))
        parts.append(tag("line", x1=left, x2=WIDTH - _RIGHT, y1=y, y2=y, class_="grid"))
        parts.append(tag("text", _short(mark), x=left - 10, y=y, text_anchor="end"))
    for power in range(first, last + 1):
        x = _n(across(10.0**power))
        parts.append(tag("line", x1=x, x2=x, y1=top, y2=bottom, class_="grid"))
        parts.append(tag("text", _size(10.0**power), x=x, y=bottom + 20, text_anchor="middle"))
    parts.append(tag("text", under, x=WIDTH / 2, y=bottom + 44, text_anchor="middle"))
    for spot in spots:
        parts.append(_spot(spot, across(spot.x), up(spot.y.value)))
    return _svg(title, height, parts)


def scale(low: float, high: float) -> tuple[float, float, list[float]]:
    """Ends of an axis and its marks, at round numbers."""
    span = (high - low) or abs(high) or 1.0
    step = 10.0 ** math.floor(math.log10(span / 4))
    step *= next(m for m in (1, 2, 5, 10) if span / (step * m) <= 6)
    first, last = math.floor(low / step), math.ceil(high / step)
    last = max(last, first + 1)
    return first * step, last * step, [round(i * step, 10) for i in range(first, last + 1)]


def _dot(point: Point, across: Callable[[float], float], y: float) -> Markup:
    kind = f"s{point.series % SERIES}"
    parts = []
    if point.low is not None and point.high is not None:
        ends = {"x1": _n(across(point.low)), "x2": _n(across(point.high))}
        parts.append(tag("line", **ends, y1=_n(y), y2=_n(y), class_=f"whisker {kind}"))
    tip = [tag("title", point.tip)] if point.tip else []
    parts.append(tag("circle", *tip, cx=_n(across(point.value)), cy=_n(y), r=4.5, class_=kind))
    return join(parts)


def _spot(spot: Spot, x: float, y: float) -> Markup:
    kind = f"s{spot.y.series % SERIES}"
    ring = [tag("circle", cx=_n(x), cy=_n(y), r=11, class_="ring")] if spot.marked else []
    tip = tag("title", spot.name)
    return join([*ring, tag("circle", tip, cx=_n(x), cy=_n(y), r=5.5, class_=kind)])


def _legend(names: Sequence[str]) -> Markup:
    parts, x = [], 8.0
    for series, name in enumerate(names):
        parts.append(tag("circle", cx=_n(x), cy=12, r=4.5, class_=f"s{series % SERIES}"))
        parts.append(tag("text", name, x=_n(x + 10), y=16))
        x += 34 + 7.0 * len(name)
    return join(parts)


def _svg(title: str, height: float, parts: Sequence[Markup]) -> Markup:
    box = f"0 0 {WIDTH} {_n(height)}"
    inner = join([tag("title", title), *parts])
    return tag("div", tag("svg", inner, viewBox=box, role="img"), class_="plot")


def _n(value: float) -> float:
    return round(value, 1)


def _short(value: float) -> str:
    return f"{value:g}"


def _size(value: float) -> str:
    for power, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= power:
            return f"{value / power:g} {letter}"
    return f"{value:g}"


def _cut(name: str) -> str:
    return name if len(name) <= 38 else name[:37] + "\u2026"
