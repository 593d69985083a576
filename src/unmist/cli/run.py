"""``unmist run``: a job over many files that survives being killed."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

import click

from unmist.cli.inputs import (
    adapter_option,
    input_options,
    model_option,
    one_field,
    run_options,
)
from unmist.cli.reports import report, row_progress, warn_if_all_filtered
from unmist.cli.stopping import Stop, stop_on

if TYPE_CHECKING:
    from unmist.batch import Annotator, Outcome, Step, Summary

TERMINATED: Final = 143
PART_ROWS: Final = 65_536  # as in unmist.batch.plan, which is too slow to import for help
CACHE: Final = 65_536
"""Answers kept while a part is made, so that a text which comes again in it costs little."""


@click.command("run", short_help="A job over many files, in parts; goes on after any stop.")
@click.option("--task", "tasks", multiple=True, required=True, metavar="T", help="What to ask.")
@input_options
@click.option("--embed", is_flag=True, help="Add the vectors, float16, as a column.")
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The job folder: new, empty, or of the same job.",
)
@click.option(
    "--part-rows",
    type=click.IntRange(min=1),
    default=PART_ROWS,
    show_default=True,
    metavar="N",
    help="Input rows of one part.",
)
@click.option(
    "--to",
    type=click.Choice(["parquet", "jsonl"]),
    default="parquet",
    show_default=True,
    help="How the parts are written.",
)
@click.option(
    "--progress",
    type=click.Choice(["auto", "json", "none"]),
    default="auto",
    show_default=True,
    help="A bar on a terminal, JSON lines on standard error, or nothing.",
)
@click.option(
    "--on",
    "where",
    type=click.Choice(["here", "ray"]),
    default="here",
    show_default=True,
    help="Where the model runs: in this process, or on the Ray cluster of RAY_ADDRESS.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Workers on Ray, each with --threads CPUs, 1 by default. Default: as many as fit.",
)
@model_option
@adapter_option
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    tasks: tuple[str, ...],
    format_: str,
    column: str | None,
    embed: bool,
    out: Path,
    part_rows: int,
    to: str,
    progress: str,
    where: str,
    workers: int | None,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    """Annotate every row of INPUT... (files, globs, folders) into parts in DIR.

    Run the same command again after a stop of any kind, and it goes on where it was.
    Bad rows are kept apart in DIR as dead letters. A finished job is left as it is.

    With --on ray and no RAY_ADDRESS, a cluster of this machine is started for the job.
    """
    from unmist.batch import Annotate, Settings, StoppedError, annotate_here, find_inputs, run_job

    if not inputs:
        raise click.UsageError("No INPUT. Name files, or folders with files in them.")
    if workers is not None and where != "ray":
        raise click.UsageError("--workers needs --on ray.")
    tasks = tuple(dict.fromkeys(tasks))
    settings = Settings(
        tasks=tasks,
        column=column,
        format=format_,
        embed=embed,
        part_rows=part_rows,
        to="jsonl" if to == "jsonl" else "parquet",
    )
    paths = find_inputs(inputs, out)
    annotate = Annotate(
        tasks, "text", model_path, embed, adapters=adapters, threads=threads, cache=CACHE
    )
    one_field(annotate.model, tasks)
    with stop_on(signal.SIGTERM) as stop, _open_progress(progress, quiet=quiet) as shown:
        try:
            annotator = _on_ray(workers, threads, stop) if where == "ray" else annotate_here
            outcome = run_job(
                out,
                paths,
                settings,
                annotate,
                annotator=annotator,
                report=report,
                advance=shown.advance,
                stopping=lambda: stop.asked,
            )
        except StoppedError:
            report(f"stopped; run the same command again to go on with {out}")
            ctx.exit(TERMINATED)
    summary = outcome.summary
    warn_if_all_filtered(summary.rows_out + summary.dead, summary.filtered)
    if not quiet:
        click.echo("\n".join(_lines(outcome, out)), err=True)
    ctx.exit(_exit_code(outcome))


def _on_ray(workers: int | None, threads: int | None, stop: Stop) -> Annotator:
    from unmist.batch.cluster import RayAnnotator, import_ray

    import_ray()
    return RayAnnotator(workers, threads or 1, report=report, stopping=lambda: stop.asked)


class _Progress(Protocol):
    def advance(self, step: Step) -> None: ...


class _Bar:
    """Rows, their rate and the time left on a terminal, else silent."""

    def __init__(self, *, quiet: bool) -> None:
        self.bar = row_progress(quiet=quiet, shares_screen=False)
        self._gained = 0.0

    def advance(self, step: Step) -> None:
        """Count rows."""
        self._gained += step.gained
        rows = self.bar.n + step.rows + step.bad
        if self._gained:
            # How many rows there are is not known before the end; the bytes are.
            self.bar.total = round(rows * (1 + step.left / self._gained))
        self.bar.set_postfix_str(f"part {step.part}", refresh=False)
        self.bar.update(step.rows + step.bad)


class _JsonLines:
    """One object a second at most, and one at the end; the counts are those of this run."""

    def __init__(self) -> None:
        self._start = self._said = monotonic()
        self._rows = self._bad = self._part = 0
        self._gained, self._left = 0.0, 1.0

    def advance(self, step: Step) -> None:
        """Count rows."""
        self._rows += step.rows + step.bad
        self._bad += step.bad
        self._part = step.part
        self._gained += step.gained
        self._left = step.left
        if monotonic() - self._said >= 1:
            self.say()

    def say(self) -> None:
        """Write a line to standard error."""
        self._said = monotonic()
        seconds = self._said - self._start
        line = {
            "rows": self._rows,
            "bad": self._bad,
            "seconds": round(seconds, 3),
            "rows_per_second": round(self._rows / max(seconds, 1e-6), 1),
            "part": self._part,
            "share_left": round(self._left, 4),
            "seconds_left": round(seconds * self._left / self._gained) if self._gained else None,
        }
        sys.stderr.write(json.dumps(line) + "\n")
        sys.stderr.flush()


@contextmanager
def _open_progress(kind: str, *, quiet: bool) -> Iterator[_Progress]:
    if kind == "json":
        lines = _JsonLines()
        try:
            yield lines
        finally:
            lines.say()
    else:
        bar = _Bar(quiet=quiet or kind == "none")
        with bar.bar:
            yield bar


def _lines(outcome: Outcome, out: Path) -> list[str]:
    summary = outcome.summary
    counts = [
        ("rows in", summary.rows_in, "= rows out + dead + filtered"),
        ("rows out", summary.rows_out, f"in parts: {summary.parts:,}, new: {outcome.written:,}"),
        ("dead", summary.dead, "bad rows, in dead-*.jsonl"),
        ("filtered", summary.filtered, "records without such a text, not asked about"),
    ]
    if summary.unreadable:
        counts.append(("unreadable", summary.unreadable, "inputs, reported above"))
    width = max(len(f"{count:,}") for _, count, _ in counts)
    lines = [
        f"{name:<10} {count:>{width},}  {note if count else ''}".rstrip()
        for name, count, note in counts
    ]
    return [f"{out}: finished already", *lines] if outcome.finished_before else lines


def _exit_code(outcome: Outcome) -> int:
    summary: Summary = outcome.summary
    if outcome.finished_before:
        return 0
    if not summary.parts and summary.unreadable == len(summary.inputs):
        return 2
    return 1 if summary.dead or summary.unreadable else 0
