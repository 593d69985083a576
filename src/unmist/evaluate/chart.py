"""Parameters against accuracy: ours, peers, and what needs no transformer, on equal rows.

::

    unmist evaluate chart --data DATA --peer minilm=peers/minilm --work WORK \
        -o docs/benchmarks --figures docs/figures

Everybody learns from the same training rows of one task, sees them equally often, and is asked the
whole test split. Writes ``chart.json`` a fit at a time (the same command goes on where it stood),
``chart.md``, and the figure. Needs ``unmist[train,peers,compare]``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unmist.evaluate import chart_figure
from unmist.evaluate.compare import contenders as c
from unmist.evaluate.compare import measure, names, options
from unmist.evaluate.compare.pages import interval, markdown_table, shipped_weights, write_text
from unmist.evaluate.compare.rows import Limits, read
from unmist.evaluate.compare.store import Store
from unmist.evaluate.compare.training import Recipe
from unmist.evaluate.folders import named

_PEER_WAYS = (names.PROBE, names.LORA, names.WHOLE)
_OUR_WAYS = (names.PROBE, names.LORA, names.SHIPPED)


def contenders(args: argparse.Namespace, how: Recipe) -> list[c.Contender]:
    """Everybody, those that are done sooner first."""
    found = [*options.light_ones(how, args.threads, every=True), options.cnn(how)]
    for name, folder in options.sizes(args).items():
        found += options.of_ours(name, folder, how, args, _OUR_WAYS)
    for name, folder in named(args.peer).items():
        found += options.of_peer(name, folder, how, args, _PEER_WAYS)
    return found


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what is missing and write everything; returns the content of ``chart.json``."""
    how = options.recipe(args)
    settings = options.settings(how, args, "task", "test_rows")
    store = Store(args.output / "chart.json", args.work / "chart", settings)
    limits = Limits(train=args.rows, test=args.test_rows, seed=args.rows_seed)
    data = read(args.data, args.task, limits)
    seeds = range(1, args.seeds + 1)
    absent = measure.run(data, contenders(args, how), seeds, store, _say)
    found = measure.compared(data, store)
    return store.write(
        {
            "task": data.name,
            "title": "accuracy on the test split",
            "labels": len(data.labels),
            "rows": {"train": len(data.train), "every": len(data.every), "test": len(data.test)},
            "absent": absent,
            "circumstances": measure.circumstances(args.threads),
            "smallest_winner": measure.smallest_winner(found),
            "smallest_winner_on_equal_rows": measure.smallest_winner(
                [one for one in found if not one["every"]]
            ),
            "compared": found,
        }
    )


def page(whole: dict[str, Any]) -> str:
    """``chart.md`` from the content of ``chart.json``."""
    rows, settings = whole["rows"], whole["settings"]
    winners = (whole["smallest_winner"], whole["smallest_winner_on_equal_rows"])
    which = "the same" if settings["test_rows"] else "all"
    lines = [
        "# Parameters against accuracy",
        "",
        f"`{whole['task']}`, {whole['labels']} labels: everybody learns from the same "
        f"{rows['train']:,} of {rows['every']:,} training rows, drawn by group, sees each "
        f"{settings['epochs']} times, and is asked {which} "
        f"{rows['test']:,} test rows. Means over seeds; in brackets 95 % intervals by resampling "
        "groups.",
        "",
        f"Written by `unmist evaluate chart`, {whole['circumstances']['date']}, "
        f"{whole['circumstances']['machine']}, {whole['circumstances']['threads']} threads, "
        f"products in {'bfloat16' if settings['bf16'] else 'float32'}; at most "
        f"{settings['minutes']:g} minutes a fit. {shipped_weights(whole['fits'])}",
        "",
        '<picture><source media="(prefers-color-scheme: dark)" '
        'srcset="../figures/chart-dark.svg"><img alt="Parameters against accuracy" '
        'src="../figures/chart-light.svg"></picture>',
        "",
        "The smallest that beats every larger one by the whole interval of the difference: "
        f"{_bold(winners[0])}; among those that learnt from the equal rows alone: "
        f"{_bold(winners[1])}.",
        "",
        *markdown_table(_HEAD, [_row(one, winners) for one in whole["compared"]]),
        "",
        *_NOTES,
    ]
    lines += [f"- Not there: {name} ({why})." for name, why in whole["absent"].items()]
    return "\n".join(lines) + "\n"


_HEAD = ("model", "used", "parameters", "trained", "accuracy", "macro-F1", "seeds", "seconds a fit")
_NOTES = (
    "- *probe*: logistic regression on frozen vectors; *LoRA*: rank 8 on every linear layer and a "
    "head; *whole*: every weight; *shipped*: the specialist in the model folder, with its wide "
    "head, which learnt from all training rows, as *all rows* did.",
    "- Our encoder has met the training rows of the task, with their labels, in pretraining; "
    "peers have not. So this compares what a user gets, not ways to pretrain.",
    "- *cut*: the cap on time ended a fit before every row was seen so often; its rate had fallen "
    "to zero by then all the same.",
    "- Parameters of `n-grams` are weights that are not zero; most of fastText's are room for "
    "n-grams.",
)


def _bold(name: str | None) -> str:
    return "none" if name is None else f"**{name}**"


def _row(one: dict[str, Any], winners: Sequence[str | None]) -> list[str]:
    name = _bold(one["model"]) if one["name"] in winners else one["model"]
    cut = f" (cut at {one['examples']:,} rows seen)" if one["cut"] else ""
    return [
        name,
        one["how"] + cut,
        f"{one['parameters']:,}",
        f"{one['trained']:,}",
        interval(one["accuracy"]),
        interval(one["macro_f1"]),
        str(one["seeds"]),
        f"{one['seconds']:,}",
    ]


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    options.add(parser)
    options.add_peers(parser)
    parser.add_argument("--task", default="host-category")
    parser.add_argument("--test-rows", type=int, default=0, help="drawn by group; 0: all")
    parser.add_argument("--figures", type=Path, help="folder for chart-light and chart-dark")
    parser.add_argument(
        "--page-only", action="store_true", help="measure nothing; page and figure of chart.json"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    kept = args.output / "chart.json"
    whole = json.loads(kept.read_text()) if args.page_only else run(args)
    write_text(args.output / "chart.md", page(whole))
    if args.figures is not None:
        chart_figure.write(args.figures, whole)


if __name__ == "__main__":
    main()
