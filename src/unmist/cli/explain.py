"""``unmist explain``: which bytes drove a label."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from unmist.cli.inputs import adapter_option, model_option, open_model, require_task
from unmist.cli.tables import standard_output, wants_colour
from unmist.visible import visible

if TYPE_CHECKING:
    from unmist.explain import Explanation, Span

_NOTABLE: Final = 0.25  # share of the largest weight from which a span is coloured
_BAR: Final = 20  # characters


@click.command("explain", short_help="Which bytes drove a label.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option("--task", default="host-category", show_default=True, metavar="T")
@model_option
@adapter_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line.")
def command(
    texts: tuple[str, ...],
    task: str,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    as_jsonl: bool,
) -> None:
    """Say what drove the label of each TEXT (default: lines of standard input).

    Every piece of the text is hidden in turn; its weight is how far the log-odds of the label
    fall without it.
    """
    model = open_model(model_path, adapters=adapters)
    require_task(model, task)
    out = standard_output()
    for text in texts or (line.rstrip("\r\n") for line in sys.stdin):
        explanation = model.explain(text, task)
        if as_jsonl:
            out.write(json.dumps(_plain(explanation), ensure_ascii=False) + "\n")
        else:
            out.write("\n".join(_lines(explanation, colour=wants_colour(out))) + "\n")


def _plain(explanation: Explanation) -> dict[str, Any]:
    verdict: dict[str, Any] = msgspec.to_builtins(explanation.verdict)
    return verdict | {"read": explanation.read, "spans": [asdict(s) for s in explanation.spans]}


def _lines(explanation: Explanation, *, colour: bool) -> list[str]:
    verdict, spans = explanation.verdict, explanation.spans
    if verdict.model_label is None or verdict.model_score is None:
        return [f"{visible(verdict.text)}  {verdict.status}: {verdict.reason}"]
    said = f"{verdict.model_label} {verdict.model_score:.2f}"
    if verdict.label is None:
        said += f" ({verdict.status}: {verdict.reason})"
    most = max((abs(span.weight) for span in spans), default=0.0) or 1.0
    painted = "".join(_paint(span, most) for span in spans) if colour else visible(explanation.read)
    lines = [f"{painted}  {said}"]
    for span in sorted(spans, key=lambda span: -abs(span.weight)):
        if abs(span.weight) < _NOTABLE * most:
            break
        bar = "█" * max(round(_BAR * abs(span.weight) / most), 1)
        lines.append(f"  {span.weight:+6.2f}  {bar:<{_BAR}}  {visible(span.text)}")
    return lines


def _paint(span: Span, most: float) -> str:
    text = visible(span.text)
    if abs(span.weight) < _NOTABLE * most:
        return text
    return click.style(text, fg="green" if span.weight > 0 else "red", bold=True)
