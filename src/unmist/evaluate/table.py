"""Ours and peers on many tasks of many kinds of text: macro-F1, and who wins where.

::

    unmist evaluate table --data DATA --peer minilm=peers/minilm --work WORK \
        -o docs/benchmarks

A win is a difference in macro-F1 whose 95 % interval, by resampling groups, lies above zero. Writes
``table.json`` a fit at a time (the same command goes on where it stood) and ``table.md``. Needs
``unmist[train,peers,compare]``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from unmist.evaluate.compare import contenders as c
from unmist.evaluate.compare import measure, names, options
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.compare.rows import Limits, read
from unmist.evaluate.compare.store import Store
from unmist.evaluate.compare.training import Recipe
from unmist.evaluate.folders import named
from unmist.evaluate.table_page import page

TASKS: Final = (
    "host-category",
    "host-dga",
    "host-phishing",
    "host-tracking",
    "url-threat",
    "web-attack",
    "encoded-payload",
    "user-agent",
    "command-threat",
    "log-source",
    "cloud-action",
    "file-sensitivity",
)


def contenders(args: argparse.Namespace, how: Recipe) -> list[c.Contender]:
    """Everybody, those that are done sooner first."""
    found = options.light_ones(how, args.threads, every=True)
    for name, folder in options.sizes(args).items():
        found += options.of_ours(name, folder, how, args, (names.SHIPPED, names.PROBE))
    for name, folder in named(args.peer).items():
        ways = (names.PROBE, names.LORA) if name in args.lora else (names.PROBE,)
        found += options.of_peer(name, folder, how, args, ways)
    return found


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what is missing and write everything; returns the content of ``table.json``."""
    how = options.recipe(args)
    settings = options.settings(how, args, "test_rows")
    store = Store(args.output / "table.json", args.work / "table", settings)
    limits = Limits(train=args.rows, test=args.test_rows, seed=args.rows_seed)
    tasks: dict[str, Any] = {}
    absent: dict[str, str] = {}
    for task in args.tasks:
        data = read(args.data, task, limits)
        absent |= measure.run(data, contenders(args, how), range(1, args.seeds + 1), store, _say)
        tasks[task] = {
            "field": data.field,
            "labels": len(data.labels),
            "rows": {"train": len(data.train), "every": len(data.every), "test": len(data.test)},
            "compared": measure.compared(data, store),
        }
    return store.write(
        {
            "tasks": tasks,
            "against": against(tasks),
            "absent": absent,
            "circumstances": measure.circumstances(args.threads),
        }
    )


def against(tasks: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """For each other contender, the tasks that our shipped specialists win, tie and lose."""
    ours = f"{names.OURS} {names.SHIPPED}"
    found: dict[str, dict[str, list[str]]] = {}
    for task, figures in tasks.items():
        for one in figures["compared"]:
            if one["name"] == ours:
                for other, less in one["macro_f1_less"].items():
                    mine = found.setdefault(other, {"win": [], "tie": [], "loss": []})
                    mine[measure.verdict(less)].append(task)
    return found


def _say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    options.add(parser)
    options.add_peers(parser)
    parser.set_defaults(seeds=1)
    parser.add_argument("--tasks", nargs="+", default=TASKS)
    parser.add_argument(
        "--test-rows", type=int, default=10_000, help="of each task, by group; 0: all"
    )
    parser.add_argument(
        "--lora", nargs="*", default=("minilm",), metavar="NAME", help="peers trained with LoRA too"
    )
    parser.add_argument(
        "--page-only", action="store_true", help="measure nothing; the page of table.json"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    kept = args.output / "table.json"
    whole = json.loads(kept.read_text()) if args.page_only else run(args)
    write_text(args.output / "table.md", page(whole))


if __name__ == "__main__":
    main()
