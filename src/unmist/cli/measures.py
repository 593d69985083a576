"""``unmist evaluate robustness`` and ``unmist evaluate explanations``: tasks of the data folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from unmist.cli.inputs import adapter_option, model_option, open_model, run_options
from unmist.cli.reports import report, row_progress
from unmist.cli.tables import standard_output
from unmist.errors import UsageError

_F = TypeVar("_F", bound=Callable[..., Any])


def _options(rows: int) -> Callable[[_F], _F]:
    """What both verbs take."""

    def add(function: _F) -> _F:
        options = (
            click.option(
                "--task", "tasks", multiple=True, metavar="T", help="Task to measure. Default: all."
            ),
            click.option(
                "--data",
                required=True,
                metavar="DATA",
                envvar="UNMIST_DATA",
                show_envvar=True,
                type=click.Path(path_type=Path, exists=True),
                help="Data folder with tasks/T/test.tsv.zst, or a labelled file of one task.",
            ),
            click.option(
                "--rows",
                type=click.IntRange(min=1),
                default=rows,
                show_default=True,
                help="Rows drawn from each test file.",
            ),
            click.option(
                "--seed", type=int, default=1, show_default=True, help="Which rows are drawn."
            ),
            click.option("--note", default="", help="A sentence for the top of the page."),
            click.option(
                "-o",
                "--output",
                metavar="OUT.json",
                type=click.Path(dir_okay=False, path_type=Path),
                help="Write JSON here and the page beside it as OUT.md. Default: the page, shown.",
            ),
            click.option("--json", "as_json", is_flag=True, help="JSON on standard output."),
            model_option,
            adapter_option,
            run_options,
        )
        for option in reversed(options):  # the last one added is shown first
            function = option(function)
        return function

    return add


@click.command("robustness", short_help="What other spellings of the same rows do.")
@_options(rows=2000)
def robustness(**how: Any) -> None:
    """Ask test rows once more in spellings that mean the same and in spellings that evade.

    Accuracy, macro-F1 and abstentions under each, points lost, and of the answers that an evasion
    flips the share that ends as abstain, with 95 % intervals over groups.
    """
    from unmist.evaluate import robustness as measured
    from unmist.evaluate.pages import robustness_page

    _measure("robustness", measured.measure, robustness_page, **how)


@click.command("explanations", short_help="Whether removing what drove a label lowers it.")
@_options(rows=300)
def explanations(**how: Any) -> None:
    """The deletion test: remove the fifth of the bytes that 'explain' gives the most weight.

    The label's score should fall more than when as many bytes, in runs as long, are removed at
    random; at least twice as much is the aim.
    """
    from unmist.evaluate import deletion
    from unmist.evaluate.pages import explanations_page

    _measure("explanations", deletion.measure, explanations_page, **how)


def _measure(
    verb: str,
    measure: Callable[..., dict[str, Any]],
    page: Callable[..., str],
    *,
    tasks: tuple[str, ...],
    data: Path,
    rows: int,
    seed: int,
    note: str,
    output: Path | None,
    as_json: bool,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    from unmist.evaluate.sampling import files_of
    from unmist.io import AtomicFile

    if output is not None and output.suffix != ".json":
        raise UsageError(f"{output}: expected a name that ends in .json")
    model = open_model(model_path, threads, adapters)
    results: list[dict[str, Any]] = []
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        for task, path in files_of(data, model, tasks).items():
            progress.set_description(task)
            results.append(measure(model, task, path, rows, seed, progress.update))
    command = f"unmist evaluate {verb} --rows {rows} --seed {seed}"
    whole = json.dumps({"command": command, "note": note, "tasks": results}, indent=1) + "\n"
    text = page(results, command, note)
    if output is None:
        standard_output().write(whole if as_json else text)
        return
    for path, content in ((output, whole), (output.with_suffix(".md"), text)):
        with AtomicFile(path) as file:
            file.write(content.encode())
    if not quiet:
        report(f"{output} and {output.with_suffix('.md')} written")
    if as_json:
        standard_output().write(whole)
