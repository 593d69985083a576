"""What the report knows of each measurement: its title, a plot, the table to look at."""

from collections.abc import Callable
from typing import Any, Final

from unmist.evaluate import plots
from unmist.evaluate.compare import names
from unmist.evaluate.markup import Markup, join, table, tag
from unmist.evaluate.plots import Point
from unmist.evaluate.report_tree import cell

_WAYS: Final = (names.SHIPPED, names.LINEAR, names.PROBE, names.LORA, names.WHOLE)
_TITLES: Final = {
    "chart": "Parameters against accuracy",
    "table": "Many tasks, beside peers",
    "specialists": "Specialists beside their floors",
    "ladder": "What each part is worth",
    "probes": "Probes on frozen vectors",
    "speed": "Speed beside a peer",
    "robustness": "Robustness",
    "tokenizers": "Tokenizers",
    "load": "The service under load",
    "engines": "Engines",
    "parity": "The engine beside torch",
}


def title(name: str) -> str:
    """A heading for a file's content; of ``edge/specialists``, that of ``specialists`` and edge."""
    folder, _, last = name.rpartition("/")
    known = _TITLES.get(last, last.replace("-", " ").capitalize())
    return f"{known} ({folder})" if folder else known


def section(name: str, content: Any) -> Markup | None:
    """Plot and table of a file that is known; None for any other, or one that is built in a way
    that is not known."""
    make = _SECTIONS.get(name.rpartition("/")[2])
    if make is None:
        return None
    try:
        return make(content)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # written by another version: shown as it is built


def _chart(whole: dict[str, Any]) -> Markup:
    winners = (whole["smallest_winner"], whole["smallest_winner_on_equal_rows"])
    spots = [
        plots.Spot(
            one["parameters"],
            _point(one["accuracy"], _WAYS.index(one["how"])),
            f"{one['name']}: {cell(one['accuracy'])}, {one['parameters']:,} parameters",
            one["name"] in winners,
        )
        for one in whole["compared"]
    ]
    said = f"{whole['task']}: accuracy over parameters"
    plot = plots.scatter(said, spots, _WAYS, "parameters of the whole model")
    rows = [
        (
            one["name"],
            f"{one['parameters']:,}",
            cell(one["accuracy"]),
            cell(one["macro_f1"]),
            one["seeds"],
            "cut" if one["cut"] else "",
            "all" if one["every"] else f"{whole['rows']['train']:,}",
        )
        for one in whole["compared"]
    ]
    head = ("", "parameters", "accuracy", "macro-F1", "seeds", "time", "training rows")
    every, equal = (name or "none" for name in winners)
    told = tag(
        "p", f"The smallest that beats every larger one: {every}; on equal rows alone: {equal}."
    )
    return join([plot, told, table(head, rows)])


def _table(whole: dict[str, Any]) -> Markup:
    who: list[str] = []
    for figures in whole["tasks"].values():
        who += [one["name"] for one in figures["compared"] if one["name"] not in who]
    who.sort(key=lambda name: (name != f"{names.OURS} {names.SHIPPED}", name))
    shown = who[: plots.SERIES]
    lines, rows = [], []
    for task, figures in whole["tasks"].items():
        by_name = {one["name"]: one["macro_f1"] for one in figures["compared"]}
        points = [_point(by_name[n], i, n) for i, n in enumerate(shown) if n in by_name]
        lines.append((task, points))
        rows.append([task, *(cell(by_name.get(name)) for name in who)])
    against = [
        (name, *(len(of[verdict]) for verdict in ("win", "tie", "loss")))
        for name, of in whole["against"].items()
    ]
    return join(
        [
            plots.dots("macro-F1 of each task", lines, shown),
            table(["", *who], rows),
            tag("h3", "Our shipped specialists against each"),
            table(["", "wins", "ties", "losses"], against),
        ]
    )


def _specialists(whole: dict[str, Any]) -> Markup:
    lines, rows = [], []
    for task, one in whole["tasks"].items():
        test, floor = one["test"], one["floor"]
        points = [
            _point(test["macro_f1_interval"], 0),
            Point(floor["macro_f1"], series=1, tip=f"n-grams: {floor['macro_f1']}"),
        ]
        lines.append((task, points))
        rows.append(
            (
                task,
                one["field"],
                one["labels"],
                cell(test["macro_f1_interval"]),
                f"{floor['macro_f1']:.3f}",
                f"{test['ece']:.3f}",
                f"{test['coverage']:.0%}",
                cell(test["answered_accuracy"]),
            )
        )
    plot = plots.dots("macro-F1 beside the floor", lines, ("unmist", "n-grams, published"))
    head = ("", "reads", "labels", "macro-F1", "n-grams", "ECE", "answered", "right there")
    return join([plot, table(head, rows)])


def _ladder(whole: dict[str, Any]) -> Markup:
    lines = [(one["model"], [_point(one["accuracy"], 0)]) for one in whole["steps"]]
    rows = [
        (
            one["model"],
            one["how"],
            cell(one["accuracy"]),
            cell(one["gained"]),
            cell(one["tokens_per_row"]),
            cell(one["alone_ms"]),
            cell(one["rows_per_second"]),
            cell(one["peak_memory_mb"]),
        )
        for one in whole["steps"]
    ]
    head = ("", "by", "accuracy", "gained", "tokens", "ms alone", "rows/s", "peak MB")
    return join([plots.dots("accuracy of each step", lines), table(head, rows)])


def _speed(whole: dict[str, Any]) -> Markup:
    parts: list[Markup] = [tag("p", whole["machine"])]
    for field, threads in dict.fromkeys((one["field"], one["threads"]) for one in whole["entries"]):
        rates = [
            (one["contender"], one["rows_per_second"])
            for one in whole["entries"]
            if (one["field"], one["threads"]) == (field, threads) and "rows_per_second" in one
        ]
        title = f"{field}s, threads: {threads}"
        parts.append(plots.bars(title, rates, "rows/s"))
    return join(parts)


def _robustness(whole: dict[str, Any]) -> Markup:
    parts: list[Markup] = [tag("p", whole["note"])] if whole.get("note") else []
    for task in whole["tasks"]:
        lines = [
            (name, [_point(view["accuracy_lost"], 5 if view["evasion"] else 0)])
            for name, view in task["views"].items()
        ]
        parts.append(tag("h3", task["task"]))
        parts.append(plots.dots(f"{task['task']}: share of accuracy lost", lines))
    return join(parts)


def _point(figure: dict[str, float], series: int, name: str = "") -> Point:
    tip = f"{name} {cell(figure)}".strip()
    return Point(figure["value"], figure["low"], figure["high"], series, tip)


_SECTIONS: Final[dict[str, Callable[[Any], Markup]]] = {
    "chart": _chart,
    "table": _table,
    "specialists": _specialists,
    "ladder": _ladder,
    "speed": _speed,
    "robustness": _robustness,
}
