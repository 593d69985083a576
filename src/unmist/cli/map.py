"""``unmist map``: a picture of an input to look at, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from unmist.cli.inputs import (
    adapter_option,
    input_options,
    model_option,
    open_model,
    output_option,
    require_field,
    require_input,
    require_task,
    run_options,
)
from unmist.cli.reports import BadRows, report
from unmist.errors import UsageError

if TYPE_CHECKING:
    from unmist.map import MapPoints
    from unmist.model import Model

_PATH = click.Path(dir_okay=False, path_type=Path)


@click.command("map", short_help="A map of the input to look at, as one HTML file.")
@click.option("--field", default="hostname", show_default=True, metavar="F", help="Field kind.")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    metavar="T",
    help="Specialist to ask; repeatable. Default: the model's first for the field.",
)
@click.option(
    "--by", multiple=True, metavar="C", help="Column of the input to colour by; repeatable."
)
@click.option(
    "--sample",
    type=click.IntRange(min=10),
    default=100_000,
    show_default=True,
    metavar="N",
    help="Texts to lay out; the rest is placed beside them.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Another seed, another picture.",
)
@click.option("--place", type=_PATH, metavar="OLD.parquet", help="Place the input on that map.")
@click.option("--diff", type=_PATH, metavar="OLD.parquet", help="Mark what is not in that map.")
@click.option("--parquet", type=_PATH, metavar="FILE", help="Also coordinates and clusters.")
@click.option("--png", type=_PATH, metavar="FILE", help="Also a picture.")
@click.option("--svg", type=_PATH, metavar="FILE", help="Also a picture.")
@input_options
@model_option
@adapter_option
@output_option("The page: one HTML file that opens without a network.")
@run_options
@click.pass_context
def command(
    ctx: click.Context,
    inputs: tuple[str, ...],
    field: str,
    tasks: tuple[str, ...],
    by: tuple[str, ...],
    sample: int,
    seed: int,
    place: Path | None,
    diff: Path | None,
    parquet: Path | None,
    png: Path | None,
    svg: Path | None,
    format_: str,
    column: str | None,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    out: Path | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Draw a map of the distinct texts of INPUT (default: standard input, also '-').

    Texts that the model finds alike lie together. Needs the extra: pip install 'unmist[map]'.
    """
    inputs = require_input(inputs)
    if not any((out, parquet, png, svg)):
        raise click.UsageError("Nothing to write: give -o MAP.html, --parquet, --png or --svg.")
    if out is not None and out.suffix.lower() not in (".html", ".htm"):
        raise click.UsageError(f"'{out}' is not a page's name: use .html, or --parquet, --png.")
    require_field(field)
    from unmist.map import Settings, build, read_map
    from unmist.map.extra import need
    from unmist.map.rows import Gathering

    for module in ("openTSNE", "sklearn", *(("matplotlib",) if png or svg else ())):
        need(module)
    on, against = (read_map(p) if p is not None else None for p in (place, diff))
    model = open_model(model_path, threads, adapters)
    settings = Settings(field, _tasks(model, tasks, field), sample, seed, threads or 0)
    bad, gathering = BadRows(), Gathering(by)
    texts = gathering.read(
        inputs, format=format_, column=column, field=field, bad=bad.add, failed=report
    )
    bad.close()
    if not texts.texts and gathering.unreadable:
        ctx.exit(2)

    def say(step: str) -> None:
        if not quiet:
            report(step)

    points = build(model, texts, settings, on=on, against=against, say=say)
    _write(points, out, parquet, {"png": png, "svg": svg})
    if not quiet:
        click.echo("\n".join(_summary(points)), err=True)
    ctx.exit(1 if bad.count or gathering.unreadable else 0)


def _tasks(model: Model, wanted: tuple[str, ...], field: str) -> tuple[str, ...]:
    for task in wanted:
        require_task(model, task)
        if model.field_of(task) != field:
            raise UsageError(
                f"task '{task}' reads {model.field_of(task)}, the map is of {field}; "
                "leave out --task or give its --field"
            )
    # One by default: asking a specialist costs as much as the vectors do.
    return wanted or tuple(t for t in model.tasks if model.field_of(t) == field)[:1]


def _write(
    points: MapPoints, out: Path | None, parquet: Path | None, pictures: dict[str, Path | None]
) -> None:
    from unmist.map import write_map, write_page
    from unmist.map.picture import write_picture

    if parquet is not None:
        write_map(parquet, points)
    for kind, path in pictures.items():
        if path is not None:
            write_picture(path, points, kind)
    if out is not None:
        write_page(out, points)


def _summary(points: MapPoints) -> list[str]:
    from unmist.visible import visible

    outside = int((points.clusters < 0).sum())
    quality = points.quality
    lines = [
        f"points      {len(points):,}, {int(points.placed.sum()):,} of them placed",
        f"clusters    {len(points.names):,}; {outside:,} points in none",
    ]
    for name in ("trustworthiness", "knn_preservation", "triplet_accuracy"):
        lines.append(f"{name.replace('_', ' '):<18} {quality.get(name, float('nan')):.3f}")
    if points.new is not None:
        fresh = points.new_clusters()
        named = "; ".join(visible(points.names[c]) for c in fresh[:10]) or "none"
        lines.append(f"new         {int(points.new.sum()):,} points; new clusters: {named}")
    return lines
