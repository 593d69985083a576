"""What :mod:`robustness` and :mod:`deletion` measured, as pages of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from unmist.evaluate.bootstrap import Figure

_ROBUSTNESS = """# Robustness
{note}
Written by `{command}`, model `{model}`. Rows of the test split, drawn with seed {seed}; in brackets
95 % intervals by resampling groups. *Lost* is in points, against the same rows as they stand;
*flipped* are rows whose label was right and became wrong; *abstain of these* is the share of them
that unmist does not stand by. What each view does: `unmist.text.views`. Specialists may have learnt
from other rows in the same views, but for those under *evasions not learnt from*.
"""
_EXPLANATIONS = """# Explanations: the deletion test
{note}
Written by `{command}`, model `{model}`. Rows of the test split, drawn with seed {seed}; in brackets
95 % intervals by resampling groups. By how much the calibrated probability of the label falls when
the fifth of a row's bytes with the most weight is removed (*attributed*), and when as many bytes
in runs of the same lengths are removed at random (*random*, mean of five draws). *Skipped* are
rows of fewer than five bytes or that are not UTF-8. The aim is a ratio of 2.

| task | rows | skipped | attributed | random | ratio |
|---|---|---|---|---|---|
"""
_PARTS = (  # evasion, learnt, title
    (False, True, "invariances"),
    (True, True, "evasions"),
    (True, False, "evasions not learnt from"),
)
_COLUMNS = (
    "view",
    "rows",
    "accuracy",
    "macro-F1",
    "abstain",
    "accuracy lost",
    "macro-F1 lost",
    "flipped",
    "abstain of these",
)


def robustness_page(results: Sequence[Mapping[str, Any]], command: str, note: str = "") -> str:
    """A page with a table for every task that :func:`robustness.measure` measured."""
    return "\n".join([_head(_ROBUSTNESS, results, command, note), *map(_task, results)])


def explanations_page(results: Sequence[Mapping[str, Any]], command: str, note: str = "") -> str:
    """A page with a row for every task that :func:`deletion.measure` measured."""
    rows = "".join(
        f"| {result['task']} | {result['rows']:,} | {result['skipped']:,} "
        f"| {_share(result['attributed'])} | {_share(result['random'])} "
        f"| {_share(result['ratio'], digits=2)} |\n"
        for result in results
    )
    return _head(_EXPLANATIONS, results, command, note) + rows


def _head(head: str, results: Sequence[Mapping[str, Any]], command: str, note: str) -> str:
    return head.format(
        note=f"\n{note}\n" if note else "",
        command=command,
        model=results[0]["model"][:12],
        seed=results[0]["seed"],
    )


def _task(result: Mapping[str, Any]) -> str:
    clean = result["clean"]
    lines = [
        f"## {result['task']}",
        "",
        f"{result['rows']:,} rows in {result['groups']:,} groups. As they stand: accuracy "
        f"{_share(clean['accuracy'])}, macro-F1 {_share(clean['macro_f1'])}, abstain "
        f"{_share(clean['abstain'])}. All evasions together flip {result['evasions']['flipped']:,} "
        f"answers; unmist abstains on {_share(result['evasions']['flipped_abstain'])} of them"
        f"{_unlearnt(result['unlearnt'])}.",
        "",
        "| " + " | ".join(_COLUMNS) + " |",
        "|" + "---|" * len(_COLUMNS),
    ]
    for evasion, learnt, title in _PARTS:
        names = [
            name
            for name, view in result["views"].items()
            if view["evasion"] is evasion and view["learnt"] is learnt
        ]
        if names:
            lines.append(f"| *{title}* |" + " |" * (len(_COLUMNS) - 1))
        lines += [_row(name, result["views"][name]) for name in names]
    return "\n".join([*lines, ""])


def _unlearnt(flips: Mapping[str, Any]) -> str:
    if not flips["flipped"]:
        return ""
    share = _share(flips["flipped_abstain"])
    return f"; on {share} of the {flips['flipped']:,} of evasions that none has learnt"


def _row(name: str, view: Mapping[str, Any]) -> str:
    cells = (
        name,
        f"{view['rows']:,}",
        _share(view["accuracy"], brackets=False),
        _share(view["macro_f1"], brackets=False),
        _share(view["abstain"], brackets=False),
        _points(view["accuracy_lost"]),
        _points(view["macro_f1_lost"]),
        f"{view['flipped']:,}",
        _share(view["flipped_abstain"]) if view["flipped"] else "",
    )
    return "| " + " | ".join(cells) + " |"


def _share(figure: Figure, *, brackets: bool = True, digits: int = 3) -> str:
    if figure["value"] is None:
        return "-"
    value, low, high = (f"{figure[name]:.{digits}f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})" if brackets else value


def _points(figure: Figure) -> str:
    if figure["value"] is None or figure["low"] is None or figure["high"] is None:
        return "-"
    value, low, high = (100 * figure[name] for name in ("value", "low", "high"))  # type: ignore[operator]
    return f"{value:.1f} ({low:.1f} to {high:.1f})"
