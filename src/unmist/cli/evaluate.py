"""``unmist evaluate``: how good answers, vectors and the tokenizer are on labelled data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from unmist.cli.comparisons import COMMANDS
from unmist.cli.inputs import (
    adapter_option,
    model_option,
    open_model,
    require_task,
    run_options,
)
from unmist.cli.measures import explanations, robustness
from unmist.cli.reports import row_progress
from unmist.cli.tables import facts, operating_points, standard_output

_TITLES: Final = {
    "rows": "rows",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "coverage": "coverage (share answered)",
    "answered_accuracy": "accuracy where answered",
    "ece": "calibration error (ECE)",
    "seconds": "seconds",
}


class _TaskOrMeasure(click.Group):
    """A group whose first word, when it is none of its verbs, is the name of a task."""

    default: Final = "task"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the verb ``task`` in front where none is given."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


@click.group(
    "evaluate", cls=_TaskOrMeasure, short_help="Accuracy and calibration on a labelled file."
)
def command() -> None:
    """Measure specialists on labelled rows.

    ``unmist evaluate TASK --data FILE`` is short for ``unmist evaluate task TASK --data FILE``.
    """


command.add_command(robustness)
command.add_command(explanations)
for comparison in COMMANDS:
    command.add_command(comparison)


@command.command("task", short_help="Accuracy and calibration of one task.")
@click.argument("task")
@click.option(
    "--data",
    required=True,
    metavar="FILE",
    help="Labelled rows with columns text and label: TSV, CSV, JSON lines or Parquet.",
)
@click.option(
    "--thresholds", is_flag=True, help="Also what other thresholds would do, label by label."
)
@model_option
@adapter_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@run_options
def of_task(
    task: str,
    data: str,
    thresholds: bool,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    as_json: bool,
    threads: int | None,
    quiet: bool,
) -> None:
    """Compare the answers of TASK with the labels in a file."""
    from unmist.evaluate import evaluate_task

    model = open_model(model_path, threads, adapters)
    require_task(model, task)
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        more = {"thresholds": True} if thresholds else {}
        result = evaluate_task(model, task, data, progress.update, **more)
    output = standard_output()
    if as_json:
        output.write(json.dumps(result) + "\n")
        return
    points = result.pop("thresholds", {})
    lines = _lines(task, result)
    if points:
        lines += ["", *operating_points(points), "", "* the threshold in use"]
    output.write("\n".join(lines) + "\n")


def _lines(task: str, result: Mapping[str, Any]) -> list[str]:
    """The known measures first and in a fixed order, then whatever else was measured."""
    named = {title: result[name] for name, title in _TITLES.items() if name in result}
    others = {name: value for name, value in result.items() if name not in _TITLES}
    others.pop("task", None)
    return facts({"task": task, **named, **others})


_AT_LEAST_TWO: Final = click.IntRange(min=2)
data_option = click.option(
    "--data",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path),
    envvar="UNMIST_DATA",
    show_envvar=True,
    help="Data folder with tasks/ and pretrain/.",
)
report_option = click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="OUT",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the JSON and the Markdown.",
)


def named_folders(
    _ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]
) -> dict[str, Path]:
    """``NAME=FOLDER``, which may be given again, as a mapping."""
    folders = {}
    for value in values:
        name, equals, folder = value.partition("=")
        if not name or not equals or not folder or name in folders:
            raise click.BadParameter(f"{value!r}: expected NAME=FOLDER, each name once")
        folders[name] = Path(folder)
    return folders


@command.command("probes", short_help="What frozen vectors know, beside peers.")
@data_option
@model_option
@click.option(
    "--also",
    "others",
    metavar="NAME=DIR",
    multiple=True,
    callback=named_folders,
    help="Another model folder of unmist; may be given again.",
)
@click.option(
    "--peer",
    "peers",
    metavar="NAME=DIR",
    multiple=True,
    callback=named_folders,
    help="sentence-transformers folder to compare with; may be given again.",
)
@click.option(
    "--peer-bf16",
    "quick_peers",
    metavar="NAME=DIR",
    multiple=True,
    callback=named_folders,
    help="The same, computed in bfloat16: for large ones, on a CPU with units for it.",
)
@click.option(
    "--train-rows", type=_AT_LEAST_TWO, default=5000, show_default=True, help="Of each task."
)
@click.option(
    "--dev-rows", type=_AT_LEAST_TWO, default=1000, show_default=True, help="Of each task."
)
@click.option(
    "--test-rows", type=_AT_LEAST_TWO, default=3000, show_default=True, help="Of each task."
)
@click.option(
    "--hosts", type=_AT_LEAST_TWO, default=4000, show_default=True, help="For owner retrieval."
)
@click.option(
    "--pairs", type=_AT_LEAST_TWO, default=100, show_default=True, help="Of each kind of change."
)
@click.option("--seed", default=1, show_default=True, help="Which rows are drawn.")
@click.option(
    "--cache",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep vectors here, so that a run which was cut off goes on.",
)
@click.option(
    "--keep",
    metavar="FILE",
    type=click.Path(dir_okay=False, exists=True, path_type=Path),
    help="An earlier probes.json of the same rows: models that only it has are kept.",
)
@report_option
@run_options
def probes(
    data: Path,
    model_path: Path | None,
    others: dict[str, Path],
    peers: dict[str, Path],
    quick_peers: dict[str, Path],
    train_rows: int,
    dev_rows: int,
    test_rows: int,
    hosts: int,
    pairs: int,
    seed: int,
    cache: Path | None,
    keep: Path | None,
    out: Path,
    threads: int | None,
    quiet: bool,
) -> None:
    """Linear probe, nearest neighbours, owner retrieval, country, invariance and discrimination.

    Every model answers for the same rows of DATA; writes OUT/probes.json and OUT/probes.md.
    Peers need sentence-transformers (pip install 'unmist[peers]').
    """
    from unmist.cli.reports import report
    from unmist.evaluate.probes import (
        Cached,
        Encoder,
        Limits,
        Ours,
        Peer,
        markdown,
        read_kept,
        run,
        with_kept,
    )

    earlier = None if keep is None else read_kept(keep)
    model = open_model(model_path, threads)
    encoders: list[Encoder] = [Ours(model, str(model.info()["name"]))]
    encoders += [Ours(open_model(folder, threads), name) for name, folder in others.items()]
    encoders += [Peer(name, folder, threads) for name, folder in peers.items()]
    encoders += [
        Peer(f"{name} (bf16)", folder, threads, bf16=True) for name, folder in quick_peers.items()
    ]
    limits = Limits(train=train_rows, dev=dev_rows, test=test_rows, retrieval=hosts, forms=pairs)
    with row_progress(quiet=quiet, shares_screen=False) as progress:
        cached = [Cached(encoder, cache, progress.update) for encoder in encoders]
        result = run(data, cached, limits, seed, (lambda _: None) if quiet else report)
    if earlier is not None:
        result = with_kept(result, earlier, str(keep))
    _write(out, "probes", result, markdown(result))


def _write(out: Path, name: str, result: Mapping[str, Any], page: str) -> None:
    """``OUT/NAME.json`` and ``OUT/NAME.md``."""
    from unmist.io import AtomicFile

    out.mkdir(parents=True, exist_ok=True)
    for suffix, text in ((".json", json.dumps(result, indent=1) + "\n"), (".md", page)):
        with AtomicFile(out / (name + suffix)) as file:
            file.write(text.encode())


@command.command("tokenizers", short_help="Our tokenizer beside general ones.")
@data_option
@click.option(
    "--tokenizer",
    "ours",
    metavar="NAME=FILE",
    multiple=True,
    callback=named_folders,
    help="tokenizer.json of ours; may be given again. Default: that of the shipped model.",
)
@click.option(
    "--peer",
    "peers",
    metavar="NAME=DIR",
    multiple=True,
    callback=named_folders,
    help="Model folder with a tokenizer.json to compare with; may be given again.",
)
@click.option(
    "--texts", "limit", type=_AT_LEAST_TWO, default=2000, show_default=True, help="Of each kind."
)
@click.option("--seed", default=1, show_default=True, help="Which texts are drawn.")
@report_option
def tokenizers(
    data: Path,
    ours: dict[str, Path],
    peers: dict[str, Path],
    limit: int,
    seed: int,
    out: Path,
) -> None:
    """Tokens per character and text, unknowns, boundaries and time, for each field kind.

    A byte-level BPE of our size, trained on general text, is added. Writes OUT/tokenizers.json
    and OUT/tokenizers.md. The first tokenizer is compared with the peers and that one.
    """
    from unmist.artifact import SHIPPED
    from unmist.evaluate import pieces as page

    named = ours or {"unmist": SHIPPED}
    repeated = set(named) & set(peers)
    if repeated:
        raise click.BadParameter(f"{', '.join(sorted(repeated))}: names a tokenizer and a peer")
    loaded = {name: page.load(path) for name, path in {**named, **peers}.items()}
    result = page.run(data, loaded, limit, seed)
    _write(out, "tokenizers", result, page.markdown(result, [*peers, page.GENERAL]))
