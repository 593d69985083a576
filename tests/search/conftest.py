"""A small index on a model without a network whose vectors mean something."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from unmist.search import Builder, Index, Reading
from unmist.verdict import Verdict


class ToyModel:
    """Vectors from character trigrams: names that share them lie near to each other."""

    hash = "ab" * 32
    dim = 64
    tasks = ("host-kind",)

    def __init__(self) -> None:
        self.asked = 0

    def embed(self, texts: list[str], field: str = "hostname") -> np.ndarray:
        self.asked += len(texts)
        out = np.zeros((len(texts), self.dim), np.float32)
        for row, text in zip(out, texts, strict=True):
            for i in range(len(text) - 2):
                place = hashlib.sha256(text[i : i + 3].encode("utf-8", "replace")).digest()
                row[place[0] % self.dim] += 1 if place[1] % 2 else -1
            row[0] += 0.01
        unit: np.ndarray = out / np.linalg.norm(out, axis=1, keepdims=True)
        return unit

    def ask_rows(self, rows: list[Any], tasks: Sequence[str]) -> list[list[Verdict]]:
        return [[self._verdict(row, task) for task in tasks] for row in rows]

    def _verdict(self, row: Any, task: str) -> Verdict:
        return Verdict(
            text=row.text,
            field="hostname",
            task=task,
            label="shop" if "shop" in row.text else None,
            score=0.75 if "shop" in row.text else 0.0,
            status="ok" if "shop" in row.text else "abstain",
            reason=None,
            model_label="shop",
            model_score=0.75,
        )


@pytest.fixture
def toy() -> ToyModel:
    return ToyModel()


CSV = """\
host,time,rank,kind
shop.example.com,2026-01-01T00:00:00Z,1,a
www.shop.example.com,2026-01-02T00:00:00Z,2,b
mail.other.org,2026-01-03T00:00:00Z,3,a
shop.example.net,1767484800,4,
,2026-01-05,5,a
login.bank.test,never,6,b
"""


@pytest.fixture
def rows_csv(tmp_path: Path) -> Path:
    """Five good rows of four names, and a bad one."""
    path = tmp_path / "rows.csv"
    path.write_text(CSV)
    return path


def make(folder: Path, model: Any, *sources: Path, add: bool = False, **options: Any) -> list[Any]:
    """Index files; the bad rows."""
    bad = []
    reading = Reading(lambda: model, field="hostname", **options)
    tasks = options.get("tasks", ())
    with Builder(folder, lambda: model, field="hostname", tasks=tasks, add=add) as builder:
        for source in sources:
            for rows in reading.read(str(source)):
                bad += rows.bad
                builder.add(rows, str(source))
    return bad


@pytest.fixture(name="make")
def make_fixture() -> Callable[..., list[Any]]:
    return make


@pytest.fixture
def index(tmp_path: Path, toy: ToyModel, rows_csv: Path) -> Index:
    """The rows of ``rows_csv``, with labels."""
    make(tmp_path / "index", toy, rows_csv, column="host", tasks=("host-kind",))
    return Index(tmp_path / "index")
