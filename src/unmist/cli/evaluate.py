"""``unmist evaluate``: how good a task's answers are on a labelled file, and how they hold up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from unmist.cli.inputs import (
    adapter_option,
    model_option,
    open_model,
    require_task,
    run_options,
)
from unmist.cli.measures import explanations, robustness
from unmist.cli.reports import row_progress
from unmist.cli.tables import facts, standard_output

_TITLES: Final = {
    "rows": "rows",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "coverage": "coverage (share answered)",
    "answered_accuracy": "accuracy where answered",
    "ece": "calibration error (ECE)",
    "seconds": "seconds",
}


class _TaskOrMeasure(click.Group):
    """A group whose first word, when it is none of its verbs, is the name of a task."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb ``task`` in front where none is given."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["task", *args]
        return super().parse_args(ctx, args)


@click.group(
    "evaluate", cls=_TaskOrMeasure, short_help="Accuracy and calibration on a labelled file."
)
def command() -> None:
    """Measure specialists on labelled rows.

    ``unmist evaluate TASK --data FILE`` is short for ``unmist evaluate task TASK --data FILE``.
    """


command.add_command(robustness)
command.add_command(explanations)


@command.command("task", short_help="Accuracy and calibration of one task.")
@click.argument("task")
@click.option(
    "--data", required=True, metavar="FILE", help="Labelled rows, e.g. FILE.tsv.zst: text, label."
)
@model_option
@adapter_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@run_options
def of_task(
    task: str,
    data: str,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    as_json: bool,
    threads: int | None,
    quiet: bool,
) -> None:
    """Compare the answers of TASK with the labels in a file."""
    from unmist.evaluate import evaluate_task

    model = open_model(model_path, threads, adapters)
    require_task(model, task)
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        result = evaluate_task(model, task, data, progress.update)
    output = standard_output()
    if as_json:
        output.write(json.dumps(result) + "\n")
    else:
        output.write("\n".join(_lines(task, result)) + "\n")


def _lines(task: str, result: Mapping[str, Any]) -> list[str]:
    """The known measures first and in a fixed order, then whatever else was measured."""
    named = {title: result[name] for name, title in _TITLES.items() if name in result}
    others = {name: value for name, value in result.items() if name not in _TITLES}
    others.pop("task", None)
    return facts({"task": task, **named, **others})
