"""Verdicts and facts as aligned text for people. Hostile text is made harmless first."""

from __future__ import annotations

import io
import os
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

import click

from unmist.visible import visible

if TYPE_CHECKING:
    from unmist.verdict import Verdict

_GAP: Final = "  "
_SCORE_WIDTH: Final = 5
_REASON_WIDTH: Final = 20
_TEXT_WIDTH_PIPED: Final = 44
_TEXT_WIDTH_LEAST: Final = 16


def display_width(text: str) -> int:
    """Terminal columns that the text takes."""
    if text.isascii():
        return len(text)
    return sum(_char_width(c) for c in text)


def fit(text: str, width: int, *, cut: bool) -> str:
    """Pad to ``width`` columns; with ``cut``, shorten what is longer and end it with ``…``."""
    taken = display_width(text)
    # Stacked combining marks take no columns, so they are bounded by number as well.
    if cut and (taken > width or len(text) > 2 * width):
        kept, taken = [], 1
        for c in text[: 2 * width - 1]:
            taken += _char_width(c)
            if taken > width:
                taken -= _char_width(c)
                break
            kept.append(c)
        text = "".join(kept) + "…"
    return text + " " * (width - taken)


def _char_width(c: str) -> int:
    if unicodedata.combining(c):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def wants_colour(stream: TextIO) -> bool:
    """Colour is for terminals whose user has not set ``NO_COLOR``."""
    return stream.isatty() and not os.environ.get("NO_COLOR")


def standard_output() -> TextIO:
    """Standard output that writes ``\\uNNNN`` for what its encoding lacks."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    return sys.stdout


class VerdictTable:
    """A streaming table with fixed column widths; on a terminal it fits the screen's width.

    Args:
        stream: where the rows go.
        labels: labels of the tasks; they decide the width of the label column.
        tasks: the tasks, where a column shall name them.
    """

    def __init__(self, stream: TextIO, labels: Sequence[str], tasks: Sequence[str] = ()) -> None:
        self._stream = stream
        self._colour = wants_colour(stream)
        self._cut = stream.isatty()
        longest = max((len(label) for label in labels), default=0)
        self._label_width = len("abstain ( 0.00)") + longest
        self._task_width = max((len(task) for task in tasks), default=0)
        self._text_width = _TEXT_WIDTH_PIPED
        if self._cut:
            rest = self._label_width + _SCORE_WIDTH + _REASON_WIDTH + 3 * len(_GAP)
            rest += (self._task_width + len(_GAP)) * (self._task_width > 0)
            columns = shutil.get_terminal_size().columns
            self._text_width = max(_TEXT_WIDTH_LEAST, columns - rest)
        self._header_due = True

    def write(self, verdict: Verdict) -> None:
        """Print one row."""
        if self._header_due:
            self._line("text", "task", "label", "score", "reason", bold=True)
            self._header_due = False
        score = f"{verdict.score:.2f}" if verdict.label is not None else ""
        style: dict[str, bool | str] = {}
        if verdict.status == "abstain":
            style = {"dim": True}
        elif verdict.status == "bad_input":
            style = {"fg": "red"}
        text, label, reason = visible(verdict.text), _label_cell(verdict), _reason_cell(verdict)
        self._line(text, verdict.task, label, score, reason, **style)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._stream.flush()

    def _line(
        self, text: str, task: str, label: str, score: str, reason: str, **style: Any
    ) -> None:
        cells = (
            fit(text, self._text_width, cut=self._cut),
            *([fit(task, self._task_width, cut=False)] if self._task_width else []),
            fit(label, self._label_width, cut=self._cut),
            fit(score, _SCORE_WIDTH, cut=False),
            reason,
        )
        line = _GAP.join(cells).rstrip()
        self._stream.write((click.style(line, **style) if style and self._colour else line) + "\n")


def _label_cell(verdict: Verdict) -> str:
    if verdict.status == "bad_input":
        return "bad input"
    if verdict.status == "abstain":
        return f"abstain ({verdict.model_label} {verdict.model_score or 0.0:.2f})"
    return verdict.label or ""


def _reason_cell(verdict: Verdict) -> str:
    reason = verdict.reason or ""
    if verdict.status == "bad_input" and verdict.source is not None:
        return visible(f"{reason} ({verdict.source}:{verdict.line})")
    return reason


def facts(values: Mapping[str, Any], indent: int = 0) -> list[str]:
    """Nested facts as aligned ``name  value`` lines."""
    width = max((len(str(name)) for name in values), default=0)
    lines = []
    for name, value in values.items():
        title = visible(str(name))
        if isinstance(value, Mapping) and value:
            lines.append(" " * indent + title)
            lines += facts(value, indent + 2)
        else:
            lines.append(" " * indent + fit(title, width, cut=False) + _GAP + _fact(value))
    return lines


def _fact(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return ", ".join(_fact(item) for item in value)
    return "-" if value is None else visible(str(value))


def operating_points(points: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What thresholds do, label by label, as :func:`unmist.labelled.thresholds.points` says it.
    The model's own is marked."""
    width = max((display_width(visible(label)) for label in points), default=5)
    titles = ("threshold", "answered", "precision", "recall", "false positives")
    lines = [fit("label", max(width, 5), cut=False) + _GAP + _GAP.join(titles)]
    for label, rows in points.items():
        name = fit(visible(label), max(width, 5), cut=False)
        for row in rows:
            shares = (row["precision"], row["recall"], row["false_positive_rate"])
            cells = [
                f"{row['threshold']:.4f}{'*' if row['chosen'] else ' '}",
                f"{row['answered']:,}",
            ]
            cells += ["-" if share is None else f"{share:.4f}" for share in shares]
            aligned = [cell.rjust(len(title)) for cell, title in zip(cells, titles, strict=True)]
            lines.append(name + _GAP + _GAP.join(aligned))
    return lines
