"""Files and Markdown of the comparisons."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unmist.evaluate.bootstrap import Figure
from unmist.evaluate.compare.names import SHIPPED
from unmist.io import AtomicFile


def write_json(path: Path, content: Any) -> None:
    """Write JSON, atomically, making its folder."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text file, atomically, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with AtomicFile(path) as file:
        file.write(text.encode())


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A Markdown table, its first two columns to the left and the others to the right."""
    marks = ["---" if i < 2 else "---:" for i in range(len(head))]
    return ["| " + " | ".join(cells) + " |" for cells in (head, marks, *rows)]


def not_there(absent: dict[str, str]) -> list[str]:
    """The section on who was not there, and why; nothing where everybody was."""
    if not absent:
        return []
    return ["", "## Not there", "", *(f"- {name}: {why}" for name, why in absent.items())]


def interval(figure: Figure, scale: float = 1, form: str = ".3f") -> str:
    """A figure with its interval, times ``scale``; a dash where there is none."""
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{scale * value:{form}} ({scale * low:{form}} to {scale * high:{form}})"


def shipped_weights(fits: Sequence[dict[str, Any]]) -> str:
    """A sentence that says which weights *shipped* stands for; they may be older than a page."""
    found = {(fit["model"], fit["weights"]) for fit in fits if fit["how"] == SHIPPED}
    named = ", ".join(f"{model} `{weights[:12]}`" for model, weights in sorted(found))
    return f"Weights as shipped: {named}." if named else ""
