"""A specialist from a user's own labelled rows: split, train, calibrate, write a card."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from unmist.artifact import layout, manifest, schema
from unmist.errors import InputError, ModelError, UsageError
from unmist.labelled import metrics
from unmist.labelled.ngram import NgramClassifier
from unmist.labelled.table import Table
from unmist.text import FIELDS
from unmist.train import holdout
from unmist.train.adapter import About, specialise
from unmist.train.corpus import OUTSIDE, Example
from unmist.train.fitting import Report, print_json
from unmist.train.specialist import Recipe

MIN_DEV_ROWS: Final = 5
_VERSION: Final = "1"


def minutes_for(rows: int) -> float:
    """A budget that is enough for most files: 200 rows 26 seconds, 50,000 rows 10 minutes."""
    return min(10.0, 0.4 + rows / 5000)


def train_own(
    table: Table,
    source: str,
    field: str,
    model: Path,
    output: Path,
    recipe: Recipe,
    go_on: Path | None = None,
    report: Report = print_json,
    compare: bool = True,
    none: str | None = None,
) -> dict[str, Any]:
    """Train an adapter folder from labelled rows.

    Args:
        table: the rows.
        source: what the card calls the data, e.g. the file's name.
        field: field kind of the texts.
        model: the model folder that the adapter will stand on.
        output: the adapter folder to write; its name becomes the task's.
        recipe: how to train.
        go_on: an adapter folder to start from, e.g. to learn from corrected labels.
        report: is told how far it is.
        compare: whether a character n-gram classifier is trained on the same split, whose
            figures stand as ``ngram_dev`` and ``ngram_test`` beside the adapter's own.
        none: a label of rows that bear none of the others; it is learnt and never answered.

    Returns:
        The content of the card, ``task.json``.

    Raises:
        UsageError: no such field kind, the output is taken, or ``go_on`` is no adapter or one of
            another field kind.
        ModelError: ``go_on`` was altered, or stands on another encoder.
        InputError: the labels cannot be learnt from.
    """
    if field not in FIELDS:
        raise UsageError(f"no field kind {field!r}; known: {', '.join(FIELDS)}")
    if output.exists() and not (output.is_dir() and not any(output.iterdir())):
        raise UsageError(f"{output}: exists and is not empty; name another folder")
    if go_on is not None:
        _check_start(go_on, model, field)
    examples = split(table, field, source)
    labels = sorted(set(table.labels) - {none})
    if none is not None:
        _check_none(none, table, labels, source)
        recipe = replace(recipe, outside=True)
        examples = {side: _set_apart(rows, none) for side, rows in examples.items()}
    about = About(
        title=f"{output.name}, trained on {source}",
        field=field,
        labels=labels,
        licence="as the data",
        data=f"{source}: {_sizes(examples)}; split by {'group' if table.groups else _rule(field)}"
        + ("" if none is None else f"; those with the label {none!r} bear none of the others"),
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".unmist-", dir=output.parent) as unfinished:
        folder = Path(unfinished) / output.name
        card = specialise(model, folder, about, examples, recipe, go_on, report)
        if compare:
            card["scores"] |= _floor(examples, labels)
        (folder / layout.TASK).write_text(json.dumps(card, indent=1) + "\n")
        manifest.write(folder, f"unmist-adapter-{output.name}", _VERSION)
        folder.replace(output)
    return card


def rename(folder: Path) -> dict[str, Any]:
    """Let an adapter folder that was moved be of the task that it is now named after.

    Returns:
        The content of its card.
    """
    path = folder / layout.TASK
    card: dict[str, Any] = json.loads(path.read_text()) | {"task": folder.name}
    path.write_text(json.dumps(card, indent=1) + "\n")
    manifest.write(folder, f"unmist-adapter-{folder.name}", _VERSION)
    return card


def split(table: Table, field: str, source: str) -> dict[str, list[Example]]:
    """The rows of ``train``, ``dev`` and ``test``.

    Raises:
        InputError: fewer than two labels, a label with one row or with one group, or too few rows
            to calibrate on.
    """
    counts = Counter(table.labels)
    if len(counts) < 2:
        raise InputError(f"one label only, {table.labels[0]!r}; a choice needs two", source)
    single = sorted(label for label, rows in counts.items() if rows < 2)
    if single:
        raise InputError(
            f"label {single[0]!r} has one row; give at least two of each, or leave it out", source
        )
    groups: Sequence[str] = table.groups or holdout.kin(table.texts, field)
    sides = holdout.split(groups, table.labels)
    parts: dict[str, list[Example]] = {"train": [], "dev": [], "test": []}
    for side, text, label, group in zip(sides, table.texts, table.labels, groups, strict=True):
        parts[side].append(Example(text, label, group))
    if len(parts["dev"]) < MIN_DEV_ROWS:
        raise InputError(
            f"{len(table.texts)} rows in {len(set(groups))} groups leave {len(parts['dev'])} to "
            f"calibrate on, expected {MIN_DEV_ROWS}; give more rows, or another --group",
            source,
        )
    for label in sorted(counts):
        if any(all(row.label != label for row in parts[side]) for side in ("train", "dev")):
            raise InputError(
                f"label {label!r}: its {counts[label]} rows belong together so that they cannot "
                "be both learnt from and calibrated on; give rows of another "
                f"{'group' if table.groups else _rule(field)}, or leave the label out",
                source,
            )
    return parts


def _check_none(none: str, table: Table, labels: Sequence[str], source: str) -> None:
    if none not in table.labels:
        known = ", ".join(labels[:9])
        raise InputError(f"no row has the label {none!r} of --none; labels: {known}", source)
    if len(labels) < 2:
        raise InputError(f"one label beside {none!r}, {labels[0]!r}; a choice needs two", source)


def _set_apart(rows: list[Example], none: str) -> list[Example]:
    return [replace(row, label=OUTSIDE) if row.label == none else row for row in rows]


def _check_start(go_on: Path, model: Path, field: str) -> None:
    """Refuse to go on from what is no adapter of this field kind on this model."""
    if not (go_on / layout.TASK).is_file():
        raise UsageError(f"{go_on}: holds no {layout.TASK}; give an adapter folder")
    if (go_on / layout.MANIFEST).is_file():
        manifest.verify(go_on)
    card = schema.read(go_on / layout.TASK, schema.TaskCard)
    if card.field != field:
        raise UsageError(f"{go_on}: reads the field kind {card.field!r}; give --field {card.field}")
    encoder = hashlib.sha256((model / layout.WEIGHTS).read_bytes()).hexdigest()
    if card.encoder != encoder:
        raise ModelError(
            f"{go_on}: stands on another encoder ({card.encoder[:12]}, here {encoder[:12]}); name "
            "its model with --model, or train without --continue"
        )


def _rule(field: str) -> str:
    return "registrable domain" if field in ("hostname", "url") else "text without digits"


def _sizes(examples: dict[str, list[Example]]) -> str:
    return ", ".join(f"{len(rows)} {name}" for name, rows in examples.items())


def _floor(examples: dict[str, list[Example]], labels: list[str]) -> dict[str, dict[str, float]]:
    examples = {n: [e for e in rows if e.label != OUTSIDE] for n, rows in examples.items()}
    train = examples["train"]
    classifier = NgramClassifier([e.text for e in train], [e.label for e in train])
    scores = {}
    for name in ("dev", "test"):
        if not examples[name]:
            continue
        said = classifier.probabilities([e.text for e in examples[name]]).argmax(1)
        predicted = np.array([labels.index(classifier.labels[i]) for i in said])
        actual = np.array([labels.index(e.label) for e in examples[name]])
        scores[f"ngram_{name}"] = {
            "accuracy": round(float((predicted == actual).mean()), 4),
            "macro_f1": round(metrics.macro_f1(actual, predicted, len(labels)), 4),
        }
    return scores
