"""``unmist embed``: one vector for every good row, in the order of the input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from unmist.cli.inputs import (
    RowReader,
    input_options,
    model_option,
    open_model,
    output_option,
    require_field,
    require_input,
    run_options,
)
from unmist.cli.reports import BadRows, report, row_progress, warn_if_all_filtered

if TYPE_CHECKING:
    from unmist.io.vectors import Batch
    from unmist.model import Model

SUFFIXES: Final = (".npy", ".parquet", ".jsonl")


@click.command("embed", short_help="One vector for every row.")
@click.option("--field", default="hostname", show_default=True, metavar="F", help="Field kind.")
@input_options
@model_option
@click.option("--jsonl", "as_jsonl", is_flag=True, help="JSONL on standard output.")
@output_option("Write to OUT (.npy, .parquet or .jsonl), all of it or nothing.")
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    field: str,
    format_: str,
    column: str | None,
    model_path: Path | None,
    as_jsonl: bool,
    out: Path | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Give one vector for every good row of INPUT (default: standard input, also '-').

    Bad rows are named on standard error and left out. Without -o the vectors go to
    standard output as JSONL, unless that is a terminal.
    """
    inputs = require_input(inputs)
    _check_output(out, as_jsonl=as_jsonl)
    require_field(field)
    model = open_model(model_path, threads)
    reader = RowReader(inputs, format_=format_, column=column, field=field, report=report)
    bad = BadRows()
    batches = _batches(ctx, model, reader, bad, field=field, quiet=quiet)
    if out is None:
        _print_vectors(batches, model.hash)
    else:
        from unmist.io import write_vectors

        write_vectors(out, batches, model.hash)
    bad.close()
    warn_if_all_filtered(reader.rows, reader.counts.filtered)
    if not quiet:
        done = f"{reader.rows - bad.count:,} vectors of {model.dim} numbers"
        click.echo(f"{done}, {bad.count:,} rows bad, {reader.counts.filtered:,} filtered", err=True)
    ctx.exit(1 if bad.count or reader.unreadable else 0)


def _check_output(out: Path | None, *, as_jsonl: bool) -> None:
    if out is None:
        if sys.stdout.isatty() and not as_jsonl:
            raise click.UsageError(
                "Vectors are no sight for a terminal: give -o OUT.npy, OUT.parquet or OUT.jsonl, "
                "or pipe the JSONL on."
            )
        return
    if as_jsonl and out.suffix.lower() != ".jsonl":
        raise click.UsageError(f"--jsonl does not fit '{out}': the suffix says what is written.")
    if out.suffix.lower() not in SUFFIXES:
        raise click.UsageError(
            f"Cannot tell from '{out}' what to write: use {', '.join(SUFFIXES)}."
        )


def _batches(
    ctx: click.Context,
    model: Model,
    reader: RowReader,
    bad: BadRows,
    *,
    field: str,
    quiet: bool,
) -> Iterator[Batch]:
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        for rows in reader.chunks():
            texts = []
            for row in rows:
                if row.problem is None:
                    texts.append(row.text)
                else:
                    bad.add(row)
            if texts:
                yield texts, model.embed(texts, field)
            progress.update(len(rows))
    if reader.nothing_readable:
        ctx.exit(2)  # raised inside the writer, so that no output file appears


def _print_vectors(batches: Iterator[Batch], model_hash: str) -> None:
    """The same lines as in a ``.jsonl`` file, each chunk as soon as it is there."""
    import msgspec

    encode = msgspec.json.Encoder().encode
    for texts, vectors in batches:
        for text, vector in zip(texts, vectors.tolist(), strict=True):
            record = {"text": text, "vector": vector, "model_hash": model_hash}
            sys.stdout.buffer.write(encode(record) + b"\n")
        sys.stdout.buffer.flush()
