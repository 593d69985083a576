"""What rows written by hand are worth to character n-grams, and to the specialists that ship.

::

    python -m unmist.evaluate.by_hand --data DATA -o docs/benchmarks/by-hand.json

A specialist that has learnt such rows (:mod:`unmist.train.written`) has more to go by than the
floor of its task, which knows the training split alone. So the same classifier learns from both
here, and from the written rows alone, which says how much of a task is general knowledge.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.artifact import model_folder, open_folder
from unmist.artifact.load import Adapter
from unmist.evaluate.probes.report import table
from unmist.labelled import metrics
from unmist.labelled.ngram import NgramClassifier
from unmist.train import corpus, written
from unmist.train.corpus import Example

SIZES: Final = ("small", "edge")
LEARNT: Final = ("train", "train and written", "written")


def measure(data: Path, task: str, specialists: dict[str, Adapter], each: int) -> dict[str, Any]:
    """Macro-F1 on test of n-grams that learnt from each of :data:`LEARNT`, and of specialists.

    Args:
        data: the data folder.
        task: one of its tasks for which rows are written.
        specialists: of that task, by the name of their model.
        each: times each template is filled.
    """
    train, test = corpus.split(data, task, "train"), corpus.split(data, task, "test")
    made = [row for row in written.rows(task, 1, each) if row.label != corpus.OUTSIDE]
    made = written.apart(made, data, task)
    learnt = {"train": train, "train and written": [*train, *made], "written": made}
    return {
        "rows": {"train": len(train), "written": len(made), "test": len(test)},
        "ngrams": {name: _ngrams(rows, test) for name, rows in learnt.items()},
        "specialists": {
            name: adapter.card.scores["test"]["macro_f1"] for name, adapter in specialists.items()
        },
    }


def _ngrams(train: Sequence[Example], test: Sequence[Example]) -> float:
    model = NgramClassifier([row.text for row in train], [row.label for row in train])
    number = {label: place for place, label in enumerate(model.labels)}
    said = model.probabilities([row.text for row in test]).argmax(1)
    actual = np.array([number.get(row.label, -1) for row in test])
    return round(metrics.macro_f1(actual, said, len(model.labels)), 4)


def markdown(result: dict[str, Any]) -> str:
    """The page of :func:`measure`'s results by task."""
    head = ["task", "rows: train", "written", *(f"n-grams: {name}" for name in LEARNT), *SIZES]
    rows = [
        [
            task,
            f"{said['rows']['train']:,}",
            f"{said['rows']['written']:,}",
            *(f"{said['ngrams'][name]:.3f}" for name in LEARNT),
            *(f"{said['specialists'][s]:.3f}" if s in said["specialists"] else "-" for s in SIZES),
        ]
        for task, said in result.items()
    ]
    lines = [
        "# What rows written by hand are worth",
        "",
        "Macro-F1 on test of a linear classifier on character 1- to 5-grams that has learnt the "
        "training split, that and the written rows, or these alone; and of the specialists that "
        "ship, which have learnt both.",
        "",
        *table(head, rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="data folder with tasks/")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON; a page beside it")
    args = parser.parse_args()
    folders = {size: open_folder(model_folder(size)) for size in SIZES}
    result = {}
    for task in written.tasks():
        of_task = {size: folder.adapters[task] for size, folder in folders.items()}
        recipe = json.loads(
            (folders["small"].path / "adapters" / task / "task.json").read_text("utf-8")
        )["training"]["recipe"]
        result[task] = measure(args.data, task, of_task, recipe["written"])
        print(task, result[task], flush=True)
    args.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    args.output.with_suffix(".md").write_text(markdown(result), encoding="utf-8")


if __name__ == "__main__":
    main()
