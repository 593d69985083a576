"""``unmist tail``: verdicts of a log that grows, as its lines come."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from unmist.cli.inputs import (
    adapter_option,
    model_option,
    one_field,
    open_model,
    output_option,
    run_options,
)
from unmist.cli.reports import report, warn_if_all_filtered
from unmist.cli.sinks import LINE_KINDS, Kind, line_sink
from unmist.cli.stopping import stop_on
from unmist.cli.tailing import State, Tail, follow, open_output, sync_to_disk

if TYPE_CHECKING:
    from unmist.io import Follower

# The same names as unmist.io.LIVE_FORMATS, repeated because importing it is too slow for help.
FORMATS: Final = ("auto", "lines", "zeek", "eve", "jsonl")


@click.command("tail", short_help="Verdicts of a growing log, as its lines come.")
@click.argument("log", metavar="FILE")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    default=("host-category",),
    show_default=True,
    metavar="T",
    help="What to ask; may be given again.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="auto",
    show_default=True,
    help="How the log is written; auto looks at its first lines.",
)
@click.option("--column", metavar="C", help="Column or key that holds the text.")
@click.option("--from-start", is_flag=True, help="Begin with what is in FILE, not after it.")
@click.option(
    "--state",
    metavar="STATE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep the position in STATE, and go on from there when it exists.",
)
@click.option(
    "--poll",
    type=click.FloatRange(min=0.01, max=60),
    default=0.25,
    show_default=True,
    metavar="SECONDS",
    help="How often to look for new lines.",
)
@click.option("--once", is_flag=True, help="Stop at the end of FILE.")
@click.option(
    "--output-format",
    type=click.Choice(LINE_KINDS),
    default="jsonl",
    show_default=True,
    help="A verdict a line, or events: ocsf (Detection Finding) or ecs.",
)
@output_option("Append to OUT instead of standard output.")
@model_option
@adapter_option
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    log: str,
    tasks: tuple[str, ...],
    format_: str,
    column: str | None,
    from_start: bool,
    state: Path | None,
    poll: float,
    once: bool,
    output_format: Kind,
    out: Path | None,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    """Follow FILE (or standard input, '-') and give a verdict for every row that is added.

    FILE may be rotated or truncated and need not exist yet. A line is answered once its
    newline is there. With --state no row is lost over a restart; rows answered just before
    a crash may be answered again.

    SIGTERM and Ctrl-C end it after the rows in work, with exit code 0.
    """
    from unmist.cli.summary import Summary
    from unmist.io import LiveReader, ReadCounts

    _check(log, state, out)
    saved = State(state, log)
    model = open_model(model_path, threads, adapters)
    tasks = tuple(dict.fromkeys(tasks))
    field = one_field(model, tasks)
    counts, summary = ReadCounts(), Summary(*tasks)
    reader = LiveReader(
        log,
        format=format_,
        column=column,
        field=field,
        counts=counts,
        header=saved.header,
    )
    follower = _open_follower(log, saved, from_start=from_start, quiet=quiet)
    with stop_on(signal.SIGTERM, signal.SIGINT) as stop, open_output(out) as stream:
        tail = Tail(model, reader, line_sink(stream, output_format, model), summary)
        saved.sync = lambda: sync_to_disk(stream)
        try:
            follow(follower, tail, saved, stop, poll=poll, once=once)
        finally:
            follower.close()
    summary.finish(filtered=counts.filtered, unreadable=[])
    if not stop.asked:
        warn_if_all_filtered(summary.rows, counts.filtered)
    if not quiet:
        click.echo("\n".join(summary.lines()), err=True)
    ctx.exit(1 if summary.bad and not stop.asked else 0)


def _check(log: str, state: Path | None, out: Path | None) -> None:
    if log == "-" and state is not None:
        raise click.UsageError("--state does not go with '-': a pipe cannot be read again.")
    if out is not None and out.exists() and os.path.exists(log) and out.samefile(log):
        raise click.UsageError(f"'{out}' is the log itself; its answers would be read again.")


def _open_follower(log: str, state: State, *, from_start: bool, quiet: bool) -> Follower:
    from unmist.io import FileFollower, PipeFollower

    if log == "-":
        return PipeFollower(sys.stdin.buffer)
    say = (lambda _: None) if quiet else report
    return FileFollower(log, position=state.position, from_start=from_start, report=say)
