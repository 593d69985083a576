"""What each part of the design is worth: the same body, one change a step.

::

    unmist evaluate ladder --data DATA --general peers/minilm --work WORK \
        -o docs/benchmarks

Every step learns from the same rows equally often and is asked the whole test split, in a process
of its own that also tells time and memory. Writes ``ladder.json`` a step at a time (the same
command goes on where it stood) and ``ladder.md``. Needs ``unmist[train]``.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from unmist.artifact import layout
from unmist.evaluate.compare import bodies, fitted, measure, names, options
from unmist.evaluate.compare import contenders as c
from unmist.evaluate.compare.pages import interval, markdown_table, write_text
from unmist.evaluate.compare.rows import Limits, TaskData, fingerprint, read
from unmist.evaluate.compare.store import Store
from unmist.evaluate.compare.training import Recipe
from unmist.text import Tokenizer
from unmist.text.fields import SPARE
from unmist.train.encoder import Encoder
from unmist.train.export import load_encoder

_TORCH, _OPENVINO, _OPENVINO_BF16 = "torch f32", "openvino f32", "openvino bf16"


@dataclass(frozen=True)
class Step:
    """One rung.

    Attributes:
        name: what is new in it.
        tuned: what is trained; the same object in two steps is trained once.
        spell: the tokenizer's.
        engine: what answers.
    """

    name: str
    tuned: c.Tuned
    spell: bodies.Encode
    engine: str = _TORCH


def steps(args: argparse.Namespace, how: Recipe) -> list[Step]:
    """All rungs, from the bottom."""
    tokenizer = Tokenizer(args.model / layout.TOKENIZER)
    ours = bodies.spelled(tokenizer)
    general, size = bodies.peer_spelling(args.general), bodies.peer_vocabulary(args.general)
    spare = without_bytes(tokenizer)

    def random(vocabulary: int, encode: bodies.Encode) -> c.Tuned:
        def body() -> bodies.Body:
            shape = replace(load_encoder(args.model).shape, vocabulary=vocabulary)
            return bodies.of_encoder(Encoder(shape), encode)

        return c.Tuned("random", names.WHOLE, body, how, scratch=True)

    def from_folder(folder: Path, way: str) -> c.Tuned:
        return c.Tuned(folder.name, way, lambda: bodies.ours(folder), how, folder)

    last = args.contrastive or args.model
    lora = from_folder(last, names.LORA)
    found = [
        Step("general tokenizer, random weights", random(size, general), general),
        Step("our pieces, no single bytes", random(tokenizer.size, spare), spare),
        Step("our tokenizer, bytes to fall back on", random(tokenizer.size, ours), ours),
        Step("pretrained", from_folder(args.model, names.WHOLE), ours),
    ]
    if args.contrastive:
        found.append(Step("contrastive stage", from_folder(args.contrastive, names.WHOLE), ours))
    return [
        *found,
        Step("LoRA instead of all weights", lora, ours),
        Step("our engine, float32", lora, ours, _OPENVINO),
        Step("our engine, bfloat16", lora, ours, _OPENVINO_BF16),
    ]


def without_bytes(tokenizer: Tokenizer) -> bodies.Encode:
    """Our pieces as they would be without the 256 single bytes: what they would have spelt is
    unknown. A spare token stands for that."""
    spell = bodies.spelled(tokenizer)
    single = {i for i, piece in enumerate(tokenizer.pieces) if len(piece) == 1}
    unknown = tokenizer.special_id(SPARE[0])

    def encode(texts: Sequence[str], field: str) -> list[list[int]]:
        rows = spell(texts, field)
        return [[unknown if token in single else token for token in row] for row in rows]

    return encode


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Measure what is missing and write everything; returns the content of ``ladder.json``."""
    how = options.recipe(args)
    settings = options.settings(how, args, "task", "alone")
    work = args.work / "ladder"
    store = Store(args.output / "ladder.json", work, settings)
    data = read(args.data, args.task, Limits(train=args.rows, seed=args.rows_seed))
    rungs = steps(args, how)
    for seed in range(1, args.seeds + 1):
        for step in rungs:
            _measure(step, data, seed, store, work, args)
    found = {one["model"]: one for one in measure.compared(data, store)}
    return store.write(
        {
            "task": data.name,
            "rows": {"train": len(data.train), "every": len(data.every), "test": len(data.test)},
            "circumstances": measure.circumstances(args.threads),
            "steps": [_rung(found, rungs, place, store) for place in range(len(rungs))],
        }
    )


def _measure(
    step: Step, data: TaskData, seed: int, store: Store, work: Path, args: argparse.Namespace
) -> None:
    key = {
        "model": step.name,
        "how": step.engine,
        "task": data.name,
        "seed": seed,
        "weights": step.tuned.weights(),
        "data": fingerprint(data)[:16],
    }
    if store.has(key):
        return
    folder = fitted.folder(work / "fits", step.tuned, key, store.settings)
    course = fitted.saved(folder, step.tuned, data, seed)
    ids = step.spell([row.text for row in data.test], data.field)
    said, cost = fitted.ask(folder, step.engine, ids, args.threads, args.alone)
    accuracy = round(float((said == data.numbers(data.test)).mean()), 4)
    store.add({**key, **course, **cost, "accuracy": accuracy, "every": False}, said)
    print(f"{step.name}, seed {seed}: {accuracy}", file=sys.stderr, flush=True)


_COSTS: Final = ("tokens_per_row", "alone_ms", "rows_per_second", "peak_memory_mb", "libraries_mb")


def _rung(found: dict[str, Any], rungs: Sequence[Step], place: int, store: Store) -> dict[str, Any]:
    """One row of the page: figures, and what the step gained over the one below it."""
    name = rungs[place].name
    one = dict(found[name])
    less = one.pop("accuracy_less")
    one.pop("macro_f1_less")
    fits = [fit for fit in store.fits if fit["model"] == name]
    costs = {cost: round(sum(fit[cost] for fit in fits) / len(fits), 3) for cost in _COSTS}
    below = found[rungs[place - 1].name]["name"] if place else None
    return one | costs | {"gained": less[below] if below else None}


def page(whole: dict[str, Any]) -> str:
    """``ladder.md`` from the content of ``ladder.json``."""
    rows, settings, then = whole["rows"], whole["settings"], whole["circumstances"]
    head = ("step", "answered by", "accuracy", "gained, points", "tokens a row")
    costs = ("ms a row alone", "rows a second", "peak MB", "of it libraries")
    return "\n".join(
        [
            "# What each part is worth",
            "",
            f"`{whole['task']}`: every step learns from the same {rows['train']:,} training rows, "
            f"sees each {settings['epochs']} times, and is asked all {rows['test']:,} test rows. "
            "The body has our shape in all of them. Means over seeds; in brackets 95 % intervals "
            "by resampling groups; *gained* is against the step above, on the same rows.",
            "",
            "A row alone: median of the time until one row is answered, tokenizer aside. Random "
            f"weights get a peak rate of {settings['scratch_lr']:g}, pretrained ones "
            f"{settings['lr']:g}, LoRA {settings['lora_lr']:g}. Pretraining has met the training "
            "rows of the task with their labels.",
            "",
            f"Written by `unmist evaluate ladder`, {then['date']}, {then['machine']}, "
            f"{then['threads']} threads; at most {settings['minutes']:g} minutes a fit. "
            f"Pretrained weights: {_weights(whole['fits'])}.",
            "",
            *markdown_table([*head, *costs], [_row(one) for one in whole["steps"]]),
            "",
        ]
    )


def _weights(fits: Sequence[dict[str, Any]]) -> str:
    """Which weights the steps above random ones start from: the file's SHA-256, its beginning."""
    return ", ".join(f"`{weights}`" for weights in sorted({fit["weights"] for fit in fits} - {""}))


def _row(one: dict[str, Any]) -> list[str]:
    accuracy, gained = one["accuracy"], one["gained"]
    points = "" if gained is None else interval(gained, 100, "+.1f")
    return [
        one["model"] + (" (cut)" if one["cut"] else ""),
        one["how"],
        interval(accuracy),
        points,
        f"{one['tokens_per_row']:.2f}",
        f"{one['alone_ms']:.2f}",
        f"{one['rows_per_second']:,.0f}",
        f"{one['peak_memory_mb']:,.0f}",
        f"{one['libraries_mb']:,.0f}",
    ]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    options.add(parser)
    parser.add_argument("--task", default="host-category")
    parser.add_argument(
        "--general", type=Path, required=True, help="folder with a general tokenizer.json"
    )
    parser.add_argument("--contrastive", type=Path, help="model folder after that stage, if any")
    parser.add_argument("--alone", type=int, default=500, help="rows that are asked alone")
    parser.add_argument(
        "--page-only", action="store_true", help="measure nothing; the page of ladder.json"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    kept = args.output / "ladder.json"
    whole = json.loads(kept.read_text()) if args.page_only else run(args)
    write_text(args.output / "ladder.md", page(whole))


if __name__ == "__main__":
    main()
