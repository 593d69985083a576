"""Which rows are asked: the same for every model, and a smaller run asks a part of a larger one."""

import random
from dataclasses import dataclass
from pathlib import Path

from unmist.errors import InputError
from unmist.labelled.data import Example, examples
from unmist.train import corpus

SPLITS = ("train", "dev", "test")


@dataclass(frozen=True)
class Limits:
    """At most so many rows of each part of the suite."""

    train: int = 5000
    dev: int = 1000
    test: int = 3000
    retrieval: int = 4000
    country: int = 5000
    forms: int = 100

    def of(self, split: str) -> int:
        """The limit of one split of a task."""
        return int(getattr(self, split))


@dataclass(frozen=True)
class TaskRows:
    """Rows of one task: ``splits`` holds train, dev and test."""

    name: str
    field: str
    splits: dict[str, list[Example]]


def shuffled(items: list[Example], seed: int) -> list[Example]:
    """All items in an order that depends on the seed alone, so that a prefix is a sample."""
    out = list(items)
    random.Random(seed).shuffle(out)
    return out


def task_names(data: Path) -> list[str]:
    """Every task folder. Raises InputError when there is none."""
    names = sorted(path.parent.name for path in (data / "tasks").glob("*/task.toml"))
    if not names:
        raise InputError("no tasks/*/task.toml here; give the data folder", str(data))
    return names


def task_rows(data: Path, name: str, limits: Limits, seed: int = 1) -> TaskRows:
    """A sample of each split of a task.

    Raises:
        InputError: a split or ``task.toml`` is missing or damaged.
    """
    field = corpus.field_of(data, name)
    splits = {}
    for split in SPLITS:
        rows = examples(data / "tasks" / name / f"{split}.tsv.zst")
        splits[split] = shuffled(rows, seed)[: limits.of(split)]
    return TaskRows(name, field, splits)
