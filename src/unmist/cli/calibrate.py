"""``unmist calibrate``: a specialist with thresholds chosen on a user's own rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from unmist.cli.inputs import (
    adapter_option,
    group_option,
    model_option,
    open_model,
    require_task,
    run_options,
    use_it,
    written_adapter_option,
)
from unmist.cli.reports import report, row_progress
from unmist.cli.tables import facts, operating_points, standard_output


@click.command("calibrate", short_help="Thresholds from your own labelled rows.")
@click.argument("task")
@click.option(
    "--data",
    "path",
    required=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Labelled rows: CSV, TSV, JSON lines or Parquet.",
)
@click.option(
    "--text", default="text", show_default=True, metavar="COL", help="Column of the text."
)
@click.option(
    "--label", default="label", show_default=True, metavar="COL", help="Column of the label."
)
@group_option
@click.option(
    "--precision",
    type=click.FloatRange(0, 1, min_open=True),
    help="How many of the rows answered with a label shall carry it. Default: 0.95.",
)
@click.option(
    "--false-positive-rate",
    "rate",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    help="Instead: how many of the rows of all other labels may be answered with a label.",
)
@written_adapter_option
@model_option
@adapter_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@run_options
def command(
    task: str,
    path: Path,
    text: str,
    label: str,
    group: str | None,
    precision: float | None,
    rate: float | None,
    output: Path,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    as_json: bool,
    threads: int | None,
    quiet: bool,
) -> None:
    """Choose temperature and thresholds of TASK on the rows of FILE, and write the specialist anew.

    One half of the groups is chosen on, the other is measured on. Rows of a label that TASK has
    not count as rows that should get no answer. The network is not trained.
    """
    if precision is not None and rate is not None:
        raise click.UsageError("--precision and --false-positive-rate exclude each other.")
    from unmist.artifact import layout
    from unmist.labelled import table
    from unmist.train.recalibrate import Aim, recalibrate

    model = open_model(model_path, threads, adapters)
    require_task(model, task)
    rows = table.read(path, text, label, group)
    for reason, count in rows.left_out.items():
        report(f"{path}: {count} rows left out: {reason}")
    aim = Aim(None if rate is not None else precision or 0.95, rate)
    own = {adapter.name: adapter for adapter in adapters}
    source = own.get(task, layout.adapter_folder(model.path, task))
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        result = recalibrate(model, task, source, rows, path.name, aim, output, progress.update)
    use = use_it(output, result["card"]["task"], model_path)
    _show(result, output, use, as_json=as_json)


def _show(result: dict[str, Any], output: Path, use: str, *, as_json: bool) -> None:
    out = standard_output()
    if as_json:
        out.write(json.dumps(result) + "\n")
        return
    card, kept = result["card"], result["kept"]
    said = {
        "adapter": str(output),
        "data": card["data"],
        "temperature": card["temperature"],
        "coverage": kept["coverage"],
        "accuracy where answered": kept["answered_accuracy"],
        "calibration error (ECE)": kept["ece"],
    }
    table = operating_points({label: [row] for label, row in result["thresholds"].items()})
    out.write("\n".join([*facts(said), "", *table, "", f"use it  {use}"]) + "\n")
