"""``unmist index``: rows and their vectors in a folder to search."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmist.cli.inputs import (
    adapter_option,
    input_options,
    model_option,
    open_model,
    require_field,
    require_input,
    require_task,
    run_options,
)
from unmist.cli.reports import BadRows, report, row_progress
from unmist.errors import InputError, UsageError

if TYPE_CHECKING:
    from unmist.model import Model
    from unmist.search import Reading, Rows


@click.command("index", short_help="Rows and their vectors in a folder to search.")
@click.option("--field", default="hostname", show_default=True, metavar="F", help="Field kind.")
@input_options
@click.option(
    "--task", "tasks", multiple=True, metavar="T", help="Keep a specialist's labels; repeatable."
)
@click.option(
    "--time",
    metavar="C",
    help="Column of the time. Default: time, timestamp, ts, @timestamp or date, if there.",
)
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The index: a new folder, or with --add an index.",
)
@click.option("--add", is_flag=True, help="Add to the index that is there.")
@model_option
@adapter_option
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    field: str,
    format_: str,
    column: str | None,
    tasks: tuple[str, ...],
    time: str | None,
    out: Path,
    add: bool,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    """Index every good row of INPUT (default: standard input, also '-') into DIR.

    INPUT may also be a folder that 'unmist run --embed' wrote, or one of its parts, or a
    Parquet file of 'unmist embed': their vectors are taken as they are.
    """
    from unmist.search import Builder, Reading

    require_field(field)
    tasks = tuple(dict.fromkeys(tasks))
    model = lazy_model(model_path, threads, adapters, tasks)
    reading = Reading(model, field=field, format=format_, column=column, tasks=tasks, time=time)
    with Builder(out, model, field=field, tasks=tasks, add=add) as builder:
        reader = RowsReader(reading, expand(require_input(inputs)), quiet=quiet)
        for source, rows in reader.read():
            builder.add(rows, source)
        if not reader.rows:
            reader.bad.close()
            raise UsageError("no good row in the inputs; nothing was written")
    reader.bad.close()
    if not quiet:
        click.echo(f"{reader.summary()}; {len(builder):,} texts in {out}", err=True)
    ctx.exit(1 if reader.bad.count or reader.unreadable else 0)


def lazy_model(
    path: Path | None, threads: int | None, adapters: Sequence[Path], tasks: Sequence[str] = ()
) -> Callable[[], Model]:
    """The model, opened at the first call; at once if specialists are asked for by name."""

    @cache
    def model() -> Model:
        return open_model(path, threads, adapters)

    for task in tasks:
        require_task(model(), task)
    return model


def expand(inputs: Sequence[str]) -> list[str]:
    """The inputs, and for the folder of a job the parts that its manifest names.

    Raises:
        InputError: a folder that is none of a job's.
    """
    found: list[str] = []
    for name in inputs:
        if not Path(name).is_dir():
            found.append(name)
            continue
        try:
            lines = (Path(name) / "manifest.jsonl").read_bytes().splitlines()
        except OSError:
            message = "a folder, and not one that 'unmist run' wrote; name files"
            raise InputError(message, name) from None
        for line in lines:
            with suppress(ValueError, KeyError, TypeError):  # a line torn by a kill is no part
                part = f"part-{int(json.loads(line)['part']):06d}"
                found += [str(path) for path in sorted(Path(name).glob(f"{part}.*"))]
    return found


class RowsReader:
    """Reads inputs for indexing and counts; one that cannot be read costs only itself."""

    def __init__(self, reading: Reading, inputs: Sequence[str], *, quiet: bool) -> None:
        self.inputs, self.bad = inputs, BadRows()
        self.rows = self.filtered = 0
        self.unreadable: list[str] = []
        self._reading, self._quiet = reading, quiet

    def read(self) -> Iterator[tuple[str, Rows]]:
        """Each input's rows, with its name."""
        with row_progress(quiet=self._quiet, shares_screen=False) as progress:
            for source in self.inputs:
                for rows in self._one(source):
                    for row in rows.bad:
                        self.bad.add(row)
                    self.rows += len(rows.texts)
                    self.filtered += rows.filtered
                    progress.update(len(rows.texts) + len(rows.bad))
                    yield source, rows

    def summary(self) -> str:
        """The counts in words."""
        return f"{self.rows:,} rows, {self.bad.count:,} bad, {self.filtered:,} filtered"

    def _one(self, source: str) -> Iterator[Rows]:
        pieces = self._reading.read(source)
        while True:
            # Only reading is inside: what the caller does with the rows is not the input's fault.
            try:
                rows = next(pieces, None)
            except (InputError, UsageError) as error:
                self.unreadable.append(source)
                report(str(error))
                return
            except OSError as error:
                self.unreadable.append(source)
                report(f"{source}: {error.strerror or type(error).__name__}")
                return
            if rows is None:
                return
            yield rows
