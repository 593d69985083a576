"""``detection.md`` from the content of ``detection.json``."""

from typing import Any

from unmist.evaluate.compare.pages import interval, markdown_table, not_there
from unmist.evaluate.detectors import KINDS


def page(whole: dict[str, Any]) -> str:
    """The page: each task's parts beside the detectors, and which were not there."""
    then = whole["circumstances"]
    lines = [
        "# As detectors",
        "",
        "Share flagged, in per cent, with 95 % intervals by resampling groups. What others have "
        "trained on is not known; these rows may be among it.",
        "",
        f"Written by `unmist evaluate detection`, {then['date']}, {then['machine']}.",
    ]
    for task, figures in whole["tasks"].items():
        lines += ["", f"## `{task}`", "", *_task(figures)]
    lines += not_there(whole["absent"])
    return "\n".join(lines) + "\n"


def _task(figures: dict[str, Any]) -> list[str]:
    detectors, parts = figures["detectors"], figures["parts"]
    scored = {name: said["at_alarms"] for name, said in detectors.items() if said["at_alarms"]}
    own = {name: said["own"] for name, said in detectors.items()}
    at_alarms = [*_rows(parts, scored), *_means(parts, scored)]
    alarms = ["harmless rows", *(interval(said["alarms"], 100, ".1f") for said in own.values())]
    return [
        f"At the threshold that flags 1 % of {figures['harmless']:,} harmless test rows:",
        "",
        *markdown_table(["", *scored], at_alarms),
        "",
        "At each detector's own threshold:",
        "",
        *markdown_table(["", *own], [alarms, *_rows(parts, own)]),
    ]


def _rows(parts: dict[str, int], said: dict[str, Any]) -> list[list[str]]:
    return [
        [f"{part} ({count:,})", *(interval(of[part], 100, ".1f") for of in said.values())]
        for part, count in parts.items()
    ]


def _means(parts: dict[str, int], said: dict[str, Any]) -> list[list[str]]:
    """Held-out families of a kind, and all of them, each counted once however many rows it has."""
    kinds = {f"mean of {kind}": families for kind, families in KINDS.items() if len(families) > 1}
    kinds["**mean of all held-out families**"] = tuple(f for of in KINDS.values() for f in of)
    rows = []
    for name, families in kinds.items():
        if all(family in parts for family in families):
            means = (
                sum(of[family]["value"] for family in families) / len(families)
                for of in said.values()
            )
            rows.append([name, *(f"{100 * mean:.1f}" for mean in means)])
    return rows
