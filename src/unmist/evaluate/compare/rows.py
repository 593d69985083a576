"""Which rows everybody learns from and is asked: the same for all, drawn by whole groups."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from unmist.labelled.data import Example
from unmist.train import corpus


@dataclass(frozen=True)
class TaskData:
    """One task as a comparison sees it.

    Attributes:
        name: the task.
        field: the kind of text that it reads.
        labels: its closed set.
        train: the rows that everybody learns from.
        every: all training rows, for what is cheap enough to learn from them.
        dev: rows to choose a setting by.
        test: rows that are asked.
    """

    name: str
    field: str
    labels: list[str]
    train: list[Example]
    every: list[Example]
    dev: list[Example]
    test: list[Example]

    def numbers(self, rows: Sequence[Example]) -> np.ndarray:
        """Label numbers int64 [n]; -1 for a label that the task does not name."""
        number = {label: i for i, label in enumerate(self.labels)}
        return np.array([number.get(row.label, -1) for row in rows], np.int64)


@dataclass(frozen=True)
class Limits:
    """At most so many rows of each split; 0 for all of them."""

    train: int = 20_000
    dev: int = 2000
    test: int = 0
    seed: int = 1


def read(data: Path, task: str, limits: Limits) -> TaskData:
    """Rows of one task of the data folder.

    Raises:
        InputError: a split or ``task.toml`` is missing or damaged.
    """
    labels = [str(label) for label in corpus.about(data, task)["labels"]]
    splits = {name: corpus.split(data, task, name) for name in ("train", "dev", "test")}
    known = [row for row in splits["train"] if row.label in labels]
    return TaskData(
        task,
        corpus.field_of(data, task),
        labels,
        train=by_group(known, limits.train, limits.seed),
        every=known,
        dev=by_group(splits["dev"], limits.dev, limits.seed),
        test=by_group(splits["test"], limits.test, limits.seed),
    )


def by_group(rows: Sequence[Example], limit: int, seed: int) -> list[Example]:
    """At most ``limit`` rows, whole groups in random order; all rows as they stand where they are
    few enough or ``limit`` is 0. A group that would go beyond the limit is left out."""
    if not limit or len(rows) <= limit:
        return list(rows)
    groups = defaultdict(list)
    for row in rows:
        groups[row.group].append(row)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    chosen: list[Example] = []
    for name in names:
        if len(chosen) + len(groups[name]) <= limit:
            chosen += groups[name]
    return chosen


def fingerprint(data: TaskData) -> str:
    """SHA-256 over the rows that are learnt from and asked, so that figures of other rows are
    never put beside these."""
    digest = hashlib.sha256()
    for part in (data.train, data.test):
        for row in part:
            text = row.text.encode("utf-8", "surrogatepass")
            digest.update(text + b"\0" + row.label.encode() + b"\n")
    return digest.hexdigest()
