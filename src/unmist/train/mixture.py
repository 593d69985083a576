"""The training mixture: encoded rows with weak or task labels, drawn in a repeatable order.

A *part* is one pretraining file (its rows carry the file they stand in as a weak label) or one
task's training split (its rows carry the task's label). Every part shares one long array of tokens.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from unmist.text import Tokenizer, normalize
from unmist.train import corpus

MAX_TOKENS = 64
_ENCODE_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """A run of rows [start, stop) that answer one question with labels [first, first + count)."""

    name: str
    start: int
    stop: int
    question: int
    first: int
    count: int


@dataclass(frozen=True)
class Batch:
    """Rows of one length. ``ids`` [rows, length]; ``question`` and ``label`` [rows]."""

    ids: np.ndarray
    question: np.ndarray
    label: np.ndarray


class Mixture:
    """A mixture prepared by :func:`prepare`, read back memory-mapped."""

    def __init__(self, path: Path) -> None:
        with safe_open(path, "np") as file:
            self.tokens = file.get_tensor("tokens")
            self.offsets = file.get_tensor("offsets")
            self.labels = file.get_tensor("labels")
            meta = json.loads(file.metadata()["mixture"])
        self.parts = [Part(**part) for part in meta["parts"]]
        self.questions: list[dict[str, object]] = meta["questions"]
        self.lengths = np.diff(self.offsets).astype(np.int32)
        self.classes = max(part.first + part.count for part in self.parts)
        self._orders: dict[tuple[int, int], np.ndarray] = {}

    def draw(self, weights: list[float], count: int, start: float, seed: int) -> list[np.ndarray]:
        """Rows of each part for one chunk, without repeats inside a part's epoch.

        Args:
            weights: share of each part, summing to 1.
            count: rows of the chunk.
            start: how many rows were drawn before this chunk.
            seed: order seed.
        """
        drawn = []
        for index, (part, weight) in enumerate(zip(self.parts, weights, strict=True)):
            size = part.stop - part.start
            places = np.arange(round(start * weight), round((start + count) * weight))
            epochs = places // size
            rows = [
                self._order(index, int(epoch), seed)[places[epochs == epoch] % size]
                for epoch in np.unique(epochs)
            ]
            drawn.append(part.start + np.concatenate(rows) if rows else np.empty(0, np.int64))
        return drawn

    def _order(self, index: int, epoch: int, seed: int) -> np.ndarray:
        key = (index, epoch)
        if key not in self._orders:
            self._orders = {k: v for k, v in self._orders.items() if k[0] != index}
            part = self.parts[index]
            generator = np.random.default_rng([seed, index, epoch])
            self._orders[key] = generator.permutation(part.stop - part.start)
        return self._orders[key]

    def batches(
        self, rows: list[np.ndarray], tokens: int, generator: np.random.Generator
    ) -> Iterator[Batch]:
        """Group drawn rows by length into batches of about ``tokens`` tokens, shuffled."""
        questions = [
            np.full(len(r), part.question, np.int64) for r, part in zip(rows, self.parts, strict=True)
        ]
        index, question = np.concatenate(rows), np.concatenate(questions)
        order = generator.permutation(len(index))
        index, question = index[order], question[order]
        lengths = self.lengths[index]
        groups = []
        for length in np.unique(lengths):
            members = np.flatnonzero(lengths == length)
            size = max(tokens // int(length), 1)
            groups += [members[i : i + size] for i in range(0, len(members), size)]
        for number in generator.permutation(len(groups)):
            chosen = groups[number]
            yield self._batch(index[chosen], question[chosen])

    def _batch(self, rows: np.ndarray, question: np.ndarray) -> Batch:
        length = int(self.lengths[rows[0]])
        ids = self.tokens[self.offsets[rows][:, None] + np.arange(length)]
        return Batch(ids.astype(np.int64), question, self.labels[rows].astype(np.int64))


def prepare(data: Path, tokenizer: Tokenizer, field: str, tasks: list[str], output: Path) -> None:
    """Encode the pretraining files of a field and the training splits of tasks into one file."""
    files = corpus.sources(data, field)
    names = [path.name.removesuffix(".txt.zst") for path in files]
    questions: list[dict[str, object]] = [{"name": f"source of {field}", "labels": names}]
    writer = _Writer(tokenizer, field)
    parts = [
        writer.part(name, list(corpus.lines(path)), [i] * 0, 0, 0, len(names), constant=i)
        for i, (name, path) in enumerate(zip(names, files, strict=True))
    ]
    first = len(names)
    for task in tasks:
        examples = corpus.examples(data / "tasks" / task / "train.tsv.zst")
        labels = sorted({example.label for example in examples})
        number = {label: first + i for i, label in enumerate(labels)}
        questions.append({"name": task, "labels": labels})
        texts = [example.text for example in examples]
        targets = [number[example.label] for example in examples]
        parts.append(
            writer.part(task, texts, targets, len(questions) - 1, first, len(labels))
        )
        first += len(labels)
    meta = {"parts": [part.__dict__ for part in parts], "questions": questions}
    save_file(writer.arrays(), output, metadata={"mixture": json.dumps(meta)})


class _Writer:
    def __init__(self, tokenizer: Tokenizer, field: str) -> None:
        self._tokenizer, self._field = tokenizer, field
        self._tokens: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._rows = 0

    def part(
        self,
        name: str,
        texts: list[str],
        labels: list[int],
        question: int,
        first: int,
        count: int,
        constant: int | None = None,
    ) -> Part:
        start = self._rows
        for i in range(0, len(texts), _ENCODE_ROWS):
            chunk = [normalize(t, self._field) for t in texts[i : i + _ENCODE_ROWS]]
            rows = [r[:MAX_TOKENS] for r in self._tokenizer.encode_batch(chunk, self._field)]
            self._tokens.append(np.concatenate([np.array(r, np.uint16) for r in rows]))
            self._lengths.append(np.array([len(r) for r in rows], np.int64))
        targets = labels if constant is None else [constant] * len(texts)
        self._labels.append(np.array(targets, np.int16))
        self._rows += len(texts)
        return Part(name, start, self._rows, question, first, count)

    def arrays(self) -> dict[str, np.ndarray]:
        lengths = np.concatenate(self._lengths)
        return {
            "tokens": np.concatenate(self._tokens),
            "offsets": np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            "labels": np.concatenate(self._labels),
        }
