"""All specialists of a model on their test splits, beside the floor that comes with each task.

::

    unmist evaluate specialists --data DATA -o docs/benchmarks

Writes ``specialists.json`` and ``specialists.md``. The floor is the character n-gram model measured
when the task was made, read from its ``task.toml``. Intervals are 95 %, by resampling groups.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from unmist.evaluate import bootstrap
from unmist.evaluate.machine import machine
from unmist.io import AtomicFile
from unmist.labelled.data import Example, examples
from unmist.labelled.metrics import calibration_error_by_chance
from unmist.labelled.task import ask, least_scores, score, stood_by
from unmist.model import Model, load
from unmist.train import outside
from unmist.train.corpus import about
from unmist.train.holdout import without_suffix

SPLITS = ("test", "extra")
MASKED = "suffix_masked"  # test rows without their public suffix, which gives part of it away
_ROUNDS = 300
_SEED = 1


def measure(model: Model, task: str, data: Path) -> dict[str, Any]:
    """Figures of each split that the task's folder has, and the task's floor."""
    folder = data / "tasks" / task
    found: dict[str, Any] = {"field": model.field_of(task), "labels": len(model.labels(task))}
    for split in SPLITS:
        path = folder / f"{split}.tsv.zst"
        if path.exists():
            found[split] = _split(model, task, examples(path))
    floor = about(data, task)["floor"]
    names = [
        *("accuracy", "macro_f1", "majority_accuracy", "extra_accuracy", "extra_macro_f1"),
        *(f"{MASKED}_accuracy", f"{MASKED}_macro_f1"),
    ]
    if f"{MASKED}_accuracy" in floor:
        rows = [
            replace(row, text=without_suffix(row.text)) for row in examples(folder / "test.tsv.zst")
        ]
        found[MASKED] = _split(model, task, rows)
    if task in outside.ABOUT:
        rows = outside.rows(data, task, _SEED)["test"]
        found["outside"] = _outside(model, task, rows)
    return found | {"floor": {name: floor[name] for name in names if name in floor}}


def _split(model: Model, task: str, rows: list[Example]) -> dict[str, Any]:
    """Figures of all rows, as ``unmist evaluate TASK`` has them; intervals and the share that is
    unfamiliar are of the rows whose label the task has."""
    labels, promised = list(model.labels(task)), model.card(task).precision
    number = {label: i for i, label in enumerate(labels)}
    actual = np.array([number.get(row.label, -1) for row in rows])
    odds, open_to = ask(model, task, rows)
    thresholds = least_scores(model.card(task))
    whole = score(odds, actual, thresholds, labels, open_to)
    known, predicted = actual >= 0, odds.argmax(1)
    answered = stood_by(odds, thresholds, open_to)
    drawn = bootstrap.weights([r.group for r, k in zip(rows, known, strict=True) if k], _ROUNDS)
    f1 = bootstrap.macro_f1(drawn, actual[known], predicted[known], len(labels))
    return {k: v for k, v in whole.items() if k not in ("f1", "precision")} | {
        "rows": len(rows),
        "ece_by_chance": round(calibration_error_by_chance(odds.max(1)), 4),
        "accuracy_interval": bootstrap.figure(
            bootstrap.mean(drawn, actual[known] == predicted[known])
        ),
        "macro_f1_interval": bootstrap.figure(f1),
        "answered_interval": bootstrap.figure(
            bootstrap.mean(drawn, actual[known] == predicted[known], answered[known])
        ),
        "kept_labels": _kept(drawn, answered[known], actual[known], predicted[known], promised),
        "unfamiliar": round(float(1 - open_to[known].mean()), 4) if known.any() else None,
    }


def _outside(model: Model, task: str, rows: list[Example]) -> dict[str, dict[str, float]]:
    """By where they are from: how many of the rows that bear none of the labels are unfamiliar to
    the specialist, and how many get a label."""
    odds, open_to = ask(model, task, rows)
    answered = stood_by(odds, least_scores(model.card(task)), open_to)
    sources = np.array([row.source for row in rows])
    return {
        source: {
            "rows": int(mine.sum()),
            "unfamiliar": round(float(1 - open_to[mine].mean()), 4),
            "answered": round(float(answered[mine].mean()), 4),
        }
        for source in sorted(set(sources))
        for mine in [sources == source]
    }


def _kept(
    drawn: np.ndarray,
    answered: np.ndarray,
    actual: np.ndarray,
    predicted: np.ndarray,
    promised: float,
) -> dict[str, int]:
    """Of the labels that are ever answered, how many keep their promise: the precision that their
    threshold was chosen for is not above their 95 % interval here."""
    counts = {"labels": 0, "kept": 0}
    for label in np.unique(predicted[answered]):
        share = bootstrap.figure(
            bootstrap.mean(drawn, actual == label, answered & (predicted == label))
        )
        counts["labels"] += 1
        counts["kept"] += share["high"] is not None and share["high"] >= promised
    return counts


def markdown(model: Model, found: dict[str, Any]) -> str:
    """The table of a report."""
    lines = [
        f"Model {model.hash[:12]}; test splits; 95 % intervals by resampling groups. n-gram: the "
        "character n-gram model published with the task; bold is above it by the whole interval. "
        "Labels that keep their promise: the precision that their threshold was chosen for on dev "
        "is not above their interval on test. ECE, and in brackets what as many rows would show by "
        "chance if every score were exactly right.",
        "",
        f"`unmist evaluate specialists`, {date.today()}, {machine()}.",
        "",
        "| task | reads | labels | rows | accuracy | macro-F1 | n-gram macro-F1 | ECE (by chance) "
        "| answered, and right there | labels that keep their promise | unfamiliar |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for task, figures in found.items():
        test, floor = figures["test"], figures["floor"]
        low, high = (test["macro_f1_interval"][side] for side in ("low", "high"))
        right = "-" if test["answered_accuracy"] is None else f"{test['answered_accuracy']:.3f}"
        won, kept = low > floor["macro_f1"], test["kept_labels"]
        f1 = f"**{test['macro_f1']:.3f}**" if won else f"{test['macro_f1']:.3f}"
        lines.append(
            f"| `{task}` | {figures['field']} | {figures['labels']} | {test['rows']:,} "
            f"| {test['accuracy']:.3f} | {f1} ({low:.3f} to {high:.3f}) | {floor['macro_f1']:.3f} "
            f"| {test['ece']:.3f} ({test['ece_by_chance']:.3f}) | {test['coverage']:.0%}, {right} "
            f"| {kept['kept']} of {kept['labels']} | {test['unfamiliar']:.1%} |"
        )
    for task, figures in found.items():
        if MASKED in figures:
            masked, floor = figures[MASKED], figures["floor"]
            lines += [
                "",
                f"`{task}` without the public suffix of its test names: accuracy "
                f"{masked['accuracy']:.3f}, macro-F1 "
                f"{masked['macro_f1']:.3f}; n-grams that learnt without it: "
                f"{floor[f'{MASKED}_accuracy']:.3f}, {floor[f'{MASKED}_macro_f1']:.3f}.",
            ]
    lines += _outside_table(found)
    gains = [f["test"]["macro_f1"] - f["floor"]["macro_f1"] for f in found.values()]
    lines += [
        "",
        f"Above the n-gram model by {np.mean(gains):+.3f} macro-F1 in the mean over tasks.",
    ]
    return "\n".join(lines) + "\n"


def _outside_table(found: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{task}` | {source} | {one['rows']:,} | {one['unfamiliar']:.1%} "
        f"| {one['answered']:.1%} |"
        for task, figures in found.items()
        for source, one in figures.get("outside", {}).items()
    ]
    if not rows:
        return []
    return [
        "",
        "What bears none of a specialist's labels, on registrable domains that it has not learnt "
        "from. *popular* are names of the popularity lists that are on none of the task's lists; "
        "those that an n-gram classifier gives a label to, although it has learnt others of them "
        "as bearing none, are left out, since most of them do bear it.",
        "",
        "| task | from | rows | unfamiliar | answered with a label |",
        "|---|---|---|---|---|",
        *rows,
    ]


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with tasks/")
    parser.add_argument("--model", type=Path, help="model folder; default: the shipped one")
    parser.add_argument("--tasks", nargs="*", help="default: all of the model")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to write into")
    args = parser.parse_args(argv)
    model = load(args.model, cache=0)
    found = {}
    for task in args.tasks or model.tasks:
        found[task] = measure(model, task, args.data)
        print(task, json.dumps(found[task]["test"]), flush=True)
    args.output.mkdir(parents=True, exist_ok=True)
    report = {
        "model": model.hash,
        "date": str(date.today()),
        "machine": machine(),
        "tasks": found,
    }
    with AtomicFile(args.output / "specialists.json") as file:
        file.write((json.dumps(report, indent=1) + "\n").encode())
    with AtomicFile(args.output / "specialists.md") as file:
        file.write(markdown(model, found).encode())


if __name__ == "__main__":
    main()
