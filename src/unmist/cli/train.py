"""``unmist train``: a specialist of your own from labelled rows."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from unmist.cli.inputs import group_option, model_option, use_it, written_adapter_option
from unmist.cli.reports import report
from unmist.cli.tables import facts, standard_output
from unmist.errors import UsageError

if TYPE_CHECKING:
    from unmist.train.fitting import Report

_RANK: Final = 8
_WIDE_BITS: Final = 15  # 32 KiB a label, kept only where dev gains by it


@click.command("train", short_help="Make a specialist from labelled rows.")
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--text", required=True, metavar="COL", help="Column of the text.")
@click.option("--label", required=True, metavar="COL", help="Column of the label.")
@click.option("--field", default="hostname", show_default=True, metavar="KIND", help="Field kind.")
@group_option
@click.option(
    "--format",
    "format_",
    type=click.Choice(("auto", "csv", "jsonl", "parquet")),
    help="How FILE is written; auto, the default, looks at its name and first bytes.",
)
@written_adapter_option
@model_option
@click.option(
    "--continue",
    "go_on",
    metavar="ADAPTER",
    type=click.Path(path_type=Path, exists=True),
    help="Start from this adapter, e.g. to learn from corrected labels.",
)
@click.option("--minutes", type=click.FloatRange(min=0, min_open=True), help="Most time to train.")
@click.option(
    "--rank",
    type=click.IntRange(1, 64),
    help="Rank of the factors. Default: 8, or that of the adapter to --continue.",
)
@click.option(
    "--precision",
    type=click.FloatRange(0, 1),
    default=0.95,
    show_default=True,
    help="What the thresholds aim at; below them it abstains.",
)
@click.option(
    "--views",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="Share of the rows that is learnt once more in another spelling, against evasions. Not "
    "where the spelling itself is the question.",
)
@click.option(
    "--none",
    metavar="LABEL",
    help="Rows with this label bear none of the others: what is like them gets no label.",
)
@click.option(
    "--threads", type=click.IntRange(min=1), default=2, show_default=True, help="CPU threads."
)
@click.option(
    "--progress",
    type=click.Choice(("auto", "json", "none")),
    default="auto",
    show_default=True,
    help="On standard error: a line that is rewritten when it is a terminal, or JSON, one object "
    "an epoch.",
)
@click.option("--json", "as_json", is_flag=True, help="The whole card as one JSON object.")
def command(
    file: Path,
    text: str,
    label: str,
    field: str,
    group: str | None,
    format_: str | None,
    output: Path,
    model_path: Path | None,
    go_on: Path | None,
    minutes: float | None,
    rank: int | None,
    precision: float,
    views: float,
    none: str | None,
    threads: int,
    progress: str,
    as_json: bool,
) -> None:
    """Train a specialist on the rows of FILE (CSV, JSON lines or Parquet).

    A fifth of the groups is kept for the thresholds and a fifth for the figures shown at the end;
    a character n-gram classifier on the same rows stands beside them.
    """
    if find_spec("torch") is None or find_spec("peft") is None:
        raise UsageError("training needs more libraries: pip install torch==2.13.0 'unmist[train]'")
    import torch

    from unmist.artifact import layout, model_folder
    from unmist.labelled import table
    from unmist.train.own import minutes_for, train_own
    from unmist.train.specialist import Recipe

    torch.set_num_threads(threads)
    rows = table.read(file, text, label, group, format_ or "auto")
    for reason, count in rows.left_out.items():
        report(f"{file}: {count} rows left out: {reason}")
    if go_on is not None and (go_on / layout.WIDE).exists():
        report(f"{go_on}: its wide head of n-grams is trained anew, on these rows alone")
    recipe = Recipe(
        rank=rank or _rank_of(go_on),
        minutes=minutes or minutes_for(len(rows.texts)),
        lr=2e-3,
        dropout=0.05,
        precision=precision,
        views=views,
        wide_bits=_WIDE_BITS,
        patience=6,
    )
    _warn_of_kind(rows.texts, field, model_folder(model_path))
    how = (rows, file.name, field, model_folder(model_path), output, recipe, go_on)
    with _reporter(progress) as told:
        card = train_own(*how, told, none=none)
    _show(card, output, use_it(output, card["task"], model_path), as_json=as_json)


def _warn_of_kind(texts: Sequence[str], field: str, model: Path) -> None:
    """Say so where most rows do not look like the field kind that they are to be read as."""
    from unmist.train.familiar import Familiar

    some = texts[:: max(len(texts) // 1000, 1)]
    share = Familiar(model, field, special_use=True)(some).mean()
    if share < 0.5:
        report(
            f"{1 - share:.0%} of the rows do not look like {field}, and a specialist abstains on "
            "what is not of its kind: is --field right?"
        )


def _rank_of(go_on: Path | None) -> int:
    from unmist.artifact import layout, schema

    if go_on is None or not (go_on / layout.ADAPTER_CONFIG).is_file():
        return _RANK
    return schema.read(go_on / layout.ADAPTER_CONFIG, schema.LoraConfig).r


@contextmanager
def _reporter(progress: str) -> Iterator[Report]:
    """What is told how far the training is."""
    from tqdm import tqdm

    from unmist.train.fitting import print_json

    if progress == "json":
        yield print_json
        return
    hidden = progress == "none" or not sys.stderr.isatty()
    with tqdm(
        total=100,
        desc="training",
        bar_format="{desc} {percentage:3.0f} % of the time|{bar}| {elapsed}{postfix}",
        leave=False,
        disable=hidden,
        file=sys.stderr,
    ) as bar:

        def told(spent: float, entry: Mapping[str, float] | None) -> None:
            bar.update(max(min(100 * spent, 100) - bar.n, 0))
            if entry is not None:
                bar.set_postfix_str(
                    f"epoch {entry['epoch']}, dev accuracy {entry['dev_accuracy']:.3f}"
                )

        yield told


def _show(card: dict[str, Any], output: Path, use: str, *, as_json: bool) -> None:
    out = standard_output()
    if as_json:
        out.write(json.dumps(card) + "\n")
        return
    scores = card["scores"]
    said: dict[str, Any] = {"adapter": str(output), "data": card["data"]}
    for split in ("dev", "test"):
        if split in scores:
            mine, floor = scores[split], scores[f"ngram_{split}"]
            said[f"{split} accuracy"] = (
                f"{mine['accuracy']} (character n-grams {floor['accuracy']})"
            )
            said[f"{split} macro F1"] = (
                f"{mine['macro_f1']} (character n-grams {floor['macro_f1']})"
            )
            said[f"{split} coverage"] = mine["coverage"]
            if "outside_answered" in mine:
                without = mine["outside_answered_otherwise"]
                said[f"{split} rows of no label that get one"] = (
                    f"{mine['outside_answered']} (by their score alone {without})"
                )
    said["use it"] = use
    out.write("\n".join(facts(said)) + "\n")
