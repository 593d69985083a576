"""``unmist explain``: which bytes drove a label."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from unmist.cli.inputs import adapter_option, model_option, open_model, require_task
from unmist.cli.reports import report, row_progress
from unmist.cli.tables import standard_output, wants_colour
from unmist.errors import UsageError
from unmist.visible import visible

if TYPE_CHECKING:
    from unmist.explain import Examples, Explanation
    from unmist.model import Model

_NOTABLE: Final = 0.25  # share of the largest weight from which a byte or a span is shown as such
_BATCH: Final = 1024
_BAR: Final = 20  # characters


@click.command("explain", short_help="Which bytes drove a label.")
@click.argument("texts", nargs=-1, metavar="[TEXT]...")
@click.option(
    "--task", default="host-category", show_default=True, metavar="T", help="What to ask."
)
@model_option
@adapter_option
@click.option(
    "--examples",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Known texts with their labels, columns 'text' and 'label' (CSV, TSV, JSON lines or "
    "Parquet): also show those of the label that are most similar.",
)
@click.option(
    "--nearest",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    metavar="N",
    help="How many of them.",
)
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line.")
def command(
    texts: tuple[str, ...],
    task: str,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    examples: Path | None,
    nearest: int,
    as_jsonl: bool,
) -> None:
    """Say what drove the label of each TEXT (default: lines of standard input).

    Every piece of the text is hidden in turn; its weight is how far the log-odds of the label
    fall without it. At a terminal the bytes that speak for the label are green, those against
    it red.
    """
    model = open_model(model_path, adapters=adapters)
    require_task(model, task)
    known = None if examples is None else _Known(model, task, examples)
    out = standard_output()
    for text in texts or (line.rstrip("\r\n") for line in sys.stdin):
        label = None if known is None else model.classify([text], task)[0].model_label
        others = None if known is None or label is None else known.of(label)
        explanation = model.explain(text, task, others, nearest)
        if as_jsonl:
            out.write(json.dumps(_plain(explanation), ensure_ascii=False) + "\n")
        else:
            out.write("\n".join(_lines(explanation, colour=wants_colour(out))) + "\n")


class _Known:
    """The examples of a file. Those of a label are embedded when it is first answered."""

    def __init__(self, model: Model, task: str, path: Path) -> None:
        from unmist.labelled import table

        self._model, self._field = model, model.field_of(task)
        rows = table.read(path, "text", "label")
        for reason, count in rows.left_out.items():
            report(f"{path}: {count} examples left out: {reason}")
        self._texts: dict[str, list[str]] = {}
        for text, label in zip(rows.texts, rows.labels, strict=True):
            self._texts.setdefault(label, []).append(text)
        if not set(self._texts) & set(model.labels(task)):
            raise UsageError(
                f"{path}: no example carries a label of {task}: {', '.join(model.labels(task))}"
            )
        self._examples: dict[str, Examples] = {}

    def of(self, label: str) -> Examples:
        """The examples of one label, none where the file has none."""
        import numpy as np

        from unmist.explain import Examples

        if label not in self._examples:
            texts = self._texts.get(label, [])
            parts = [np.empty((0, self._model.dim), np.float32)]
            with row_progress(quiet=False, shares_screen=False) as progress:
                progress.set_description(f"examples of {label}")
                for start in range(0, len(texts), _BATCH):
                    chunk = texts[start : start + _BATCH]
                    parts.append(self._model.embed(chunk, self._field))
                    progress.update(len(chunk))
            self._examples[label] = Examples(texts, [label] * len(texts), np.concatenate(parts))
        return self._examples[label]


def _plain(explanation: Explanation) -> dict[str, Any]:
    verdict: dict[str, Any] = msgspec.to_builtins(explanation.verdict)
    parts = asdict(explanation)
    del parts["verdict"]
    return verdict | parts


def _lines(explanation: Explanation, *, colour: bool) -> list[str]:
    verdict, spans = explanation.verdict, explanation.spans
    if verdict.model_label is None or verdict.model_score is None:
        return [f"{visible(verdict.text)}  {verdict.status}: {verdict.reason}"]
    said = f"{verdict.model_label} {verdict.model_score:.2f}"
    if verdict.label is None:
        said += f" ({verdict.status}: {verdict.reason})"
    most = max((abs(span.weight) for span in spans), default=0.0) or 1.0
    painted = _painted(explanation) if colour else visible(explanation.read)
    lines = [f"{painted}  {said}"]
    for span in sorted(spans, key=lambda span: -abs(span.weight)):
        if abs(span.weight) < _NOTABLE * most:
            break
        bar = "█" * max(round(_BAR * abs(span.weight) / most), 1)
        lines.append(f"  {span.weight:+6.2f}  {bar:<{_BAR}}  {visible(span.text)}")
    for near in explanation.nearest:
        lines.append(f"  {near.cosine:6.3f}  {'like':<{_BAR}}  {visible(near.text)}")
    return lines


def _painted(explanation: Explanation) -> str:
    """The text, coloured by the weights of the bytes; a character is as strong as its strongest
    byte."""
    weights, read = explanation.byte_weights, explanation.read
    if len(weights) != len(read.encode("utf-8", "surrogatepass")):
        return visible(read)  # bytes that are not UTF-8 are shown as escapes
    notable = _NOTABLE * max(map(abs, weights), default=0.0)
    pieces, place = list[tuple[str | None, str]](), 0
    for character in read:
        stop = place + len(character.encode("utf-8", "surrogatepass"))
        weight = max(weights[place:stop], key=abs)
        place = stop
        colour = None if not weight or abs(weight) < notable else "green" if weight > 0 else "red"
        pieces.append((colour, visible(character)))
    runs = ((c, "".join(t for _, t in run)) for c, run in groupby(pieces, lambda piece: piece[0]))
    return "".join(click.style(text, fg=c, bold=True) if c else text for c, text in runs)
