"""``unmist dedupe``: near-equal rows in groups, each with one that stands for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unmist.cli.index import RowsReader, expand, lazy_model
from unmist.cli.inputs import (
    adapter_option,
    input_options,
    model_option,
    require_field,
    require_input,
    run_options,
)

if TYPE_CHECKING:
    from unmist.search import Group, Text

THRESHOLD = 0.95


@click.command("dedupe", short_help="Near-equal rows in groups.")
@click.option("--field", default="hostname", show_default=True, metavar="F", help="Field kind.")
@input_options
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=THRESHOLD,
    show_default=True,
    metavar="COSINE",
    help="Least cosine with the one that stands for a group.",
)
@click.option("--groups", "members", is_flag=True, help="Show the members of every group.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object for every group.")
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
    threshold: float,
    members: bool,
    as_jsonl: bool,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
    quiet: bool,
) -> None:
    """Group the near-equal rows of INPUT (default: standard input, also '-').

    Prints one text for each group, with the number of rows and of spellings it stands for. The
    answer does not depend on the order of the rows. All texts are held in memory, and the time
    grows with texts times groups.
    """
    from unmist.search import Distinct, Gathering, Reading, group

    require_field(field)
    model = lazy_model(model_path, threads, adapters)
    reading = Reading(model, field=field, format=format_, column=column)
    reader = RowsReader(reading, expand(require_input(inputs)), quiet=quiet)
    gathering = Gathering(Distinct(model, field))
    for source, rows in reader.read():
        gathering.add(rows, source)
    if not reader.rows and reader.unreadable:
        ctx.exit(2)
    groups = group(gathering.texts, gathering.vectors, threshold)
    _print(groups, gathering.texts, members=members, as_jsonl=as_jsonl)
    reader.bad.close()
    if not quiet:
        counts = f"{len(gathering.texts):,} texts, {len(groups):,} groups"
        click.echo(f"{reader.summary()}; {counts}", err=True)
    ctx.exit(1 if reader.bad.count or reader.unreadable else 0)


def _print(groups: list[Group], texts: list[Text], *, members: bool, as_jsonl: bool) -> None:
    if as_jsonl:
        import msgspec

        encode = msgspec.json.Encoder().encode
        for one in groups:
            sys.stdout.buffer.write(encode(_object(one, texts, members=members)) + b"\n")
        return
    from unmist.cli.tables import standard_output
    from unmist.visible import visible

    stream = standard_output()
    for one in groups:
        rows = sum(texts[m].rows for m in one.members)
        head = texts[one.members[0]]
        stream.write(f"{rows:>8,} {len(one.members):>6,}  {visible(head.text)}\n")
        if members:
            for member, cosine in list(zip(one.members, one.cosines, strict=True))[1:]:
                text = texts[member]
                stream.write(f"{'':>15}  {cosine:.4f}  {visible(text.text)}  x{text.rows:,}\n")


def _object(one: Group, texts: list[Text], *, members: bool) -> dict[str, Any]:
    head = texts[one.members[0]]
    answer: dict[str, Any] = {
        "text": head.text,
        "rows": sum(texts[m].rows for m in one.members),
        "texts": len(one.members),
        "source": head.source,
        "line": head.line,
    }
    if members:
        answer["members"] = [
            {**texts[m]._asdict(), "cosine": round(cosine, 4)}
            for m, cosine in zip(one.members, one.cosines, strict=True)
        ]
    return answer
