"""``unmist classify``: one verdict for every row, in the order of the input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmist.cli.inputs import (
    RowReader,
    adapter_option,
    input_options,
    model_option,
    one_field,
    open_model,
    output_option,
    require_input,
    run_options,
)
from unmist.cli.reports import report, row_progress, warn_if_all_filtered
from unmist.cli.sinks import KINDS, Kind, Sink, choose_kind, open_sink

if TYPE_CHECKING:
    from unmist.cli.summary import Summary
    from unmist.model import Model

DEFAULT_TASK = "host-category"  # of a model that cannot tell what a row is
DEFAULT_FIELD = "hostname"  # which column of a log is read when rows are routed


@click.command("classify", short_help="One verdict for every row.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="T",
    help="What to ask; may be given again. Default: what every row is (see 'unmist model').",
)
@input_options
@model_option
@adapter_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with a summary.")
@click.option(
    "--output-format",
    type=click.Choice(KINDS),
    help="The same choice by name, and events: ocsf (Detection Finding) or ecs, one a line.",
)
@output_option("Write to OUT (.jsonl or .json) instead of standard output, all of it or nothing.")
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    tasks: tuple[str, ...],
    format_: str,
    column: str | None,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    as_jsonl: bool,
    as_json: bool,
    output_format: Kind | None,
    out: Path | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Give a verdict for every row of INPUT (default: standard input, also '-').

    Without --task the kind of each row is told from its text (hostname, url, command, ...)
    and all specialists of that kind give a verdict, except those that assume something,
    such as that a name was generated.

    A verdict is a label with a calibrated score, or an abstention, or what is wrong
    with the row. Without --json, --jsonl, --output-format or -o the answer is a table
    for people.
    """
    from unmist.cli.summary import Summary

    inputs = require_input(inputs)
    kind = choose_kind(out, as_json=as_json, as_jsonl=as_jsonl, output_format=output_format)
    model = open_model(model_path, threads, adapters)
    if not tasks and not model.routes:
        tasks = (DEFAULT_TASK,)
    routed = ", or leave --task out to ask about each row what it is"
    field = one_field(model, tasks, routed) if tasks else DEFAULT_FIELD
    reader = RowReader(inputs, format_=format_, column=column, field=field, report=report)
    summary = Summary(*tasks)
    with open_sink(out, kind, model, tasks) as sink:
        _run(model, reader, sink, summary, quiet=quiet, on_screen=out is None)
        if reader.nothing_readable:
            ctx.exit(2)  # raised inside, so that no output file appears
        summary.finish(filtered=reader.counts.filtered, unreadable=reader.unreadable)
        sink.finish(summary)
    warn_if_all_filtered(summary.rows, summary.filtered)
    if not quiet:
        apart = "\n" if kind == "table" and sys.stdout.isatty() else ""
        click.echo(apart + "\n".join(summary.lines()), err=True)
    ctx.exit(1 if summary.bad or summary.unreadable else 0)


def _run(
    model: Model,
    reader: RowReader,
    sink: Sink,
    summary: Summary,
    *,
    quiet: bool,
    on_screen: bool,
) -> None:
    shares_screen = on_screen and sys.stdout.isatty()
    with row_progress(quiet=quiet, shares_screen=shares_screen) as progress:
        for rows in reader.chunks():
            for verdicts in model.ask_rows(rows, summary.tasks):
                for verdict in verdicts:
                    sink.write(verdict)
                summary.add(*verdicts)
            sink.flush()
            progress.update(len(rows))
