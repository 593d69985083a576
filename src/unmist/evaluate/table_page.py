"""``table.md`` from the content of ``table.json``."""

from typing import Any

from unmist.evaluate.compare import names
from unmist.evaluate.compare.pages import interval, markdown_table, not_there, shipped_weights

_OURS = f"{names.OURS} {names.SHIPPED}"


def page(whole: dict[str, Any]) -> str:
    """The page: macro-F1, wins and losses, what was not there."""
    lines = ["# Many tasks", "", *_about(whole), "", *_scores(whole), "", "## Who wins", ""]
    lines += _against(whole)
    lines += not_there(whole["absent"])
    return "\n".join(lines) + "\n"


def _about(whole: dict[str, Any]) -> list[str]:
    settings, then = whole["settings"], whole["circumstances"]
    tests = f"at most {settings['test_rows']:,}" if settings["test_rows"] else "all"
    return [
        f"Macro-F1 on {tests} test rows; at most {settings['rows']:,} training rows, drawn by "
        f"group, the same for all and seen {settings['epochs']} times each; *shipped* and *all "
        "rows* learnt from all of them. In brackets 95 % intervals by resampling groups.",
        "",
        "Our encoder has met the training rows of these tasks, with their labels, in pretraining; "
        "peers have not. So this compares what a user gets, not ways to pretrain.",
        "",
        f"Written by `unmist evaluate table`, {then['date']}, {then['machine']}, "
        f"{then['threads']} threads, products in {'bfloat16' if settings['bf16'] else 'float32'}; "
        f"at most {settings['minutes']:g} minutes a fit. {shipped_weights(whole['fits'])}",
    ]


def _scores(whole: dict[str, Any]) -> list[str]:
    who: list[str] = []
    for figures in whole["tasks"].values():
        who += [one["name"] for one in figures["compared"] if one["name"] not in who]
    who.sort(key=lambda name: (name != _OURS, name))
    rows = []
    for task, figures in whole["tasks"].items():
        by_name = {one["name"]: one for one in figures["compared"]}
        best = max(one["macro_f1"]["value"] for one in by_name.values())
        cells = [_cell(by_name.get(name), best) for name in who]
        rows.append([f"`{task}`", f"{figures['field']}, {figures['labels']}", *cells])
    return markdown_table(["task", "reads, labels", *who], rows)


def _cell(one: dict[str, Any] | None, best: float) -> str:
    if one is None:
        return "-"
    f1 = one["macro_f1"]
    said = interval(f1).replace(" ", "** ", 1) if f1["value"] == best else interval(f1)
    return f"{'**' if f1['value'] == best else ''}{said}{' cut' if one['cut'] else ''}"


def _against(whole: dict[str, Any]) -> list[str]:
    rows = []
    for name, of in sorted(whole["against"].items()):
        counts = [str(len(of[verdict])) for verdict in ("win", "tie", "loss")]
        lost = ", ".join(f"`{task}`" for task in of["loss"]) or "-"
        rows.append([name, *counts, lost])
    said = (
        "Our shipped specialists against each, over the tasks above: a win or a loss is a "
        "difference in macro-F1 whose interval does not hold zero."
    )
    return [said, "", *markdown_table(["against", "wins", "ties", "losses", "lost"], rows)]
