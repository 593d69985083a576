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
from unmist.text.tokenizer import both_ends
from unmist.train import corpus, written
from unmist.train.corpus import Example, withheld

MAX_TOKENS = 256
_STEPS = ((32, 1), (96, 8), (MAX_TOKENS, 16))  # lengths up to here are multiples of this
_ENCODE_ROWS = 200_000


@dataclass(frozen=True)
class Part:
    """A run of rows [start, stop) that answer one question with labels [first, first + count)."""

    name: str
    field: str
    task: bool
    start: int
    stop: int
    question: int
    first: int
    count: int


@dataclass(frozen=True)
class Batch:
    """Rows of one length. ``ids`` [rows, length]; ``question`` and ``label`` [rows];
    ``rows`` [rows] are their numbers in the mixture."""

    ids: np.ndarray
    question: np.ndarray
    label: np.ndarray
    rows: np.ndarray


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
        self._orders: dict[tuple[int, int, int], np.ndarray] = {}

    def draw(self, counts: list[int], cursors: list[int], seed: int) -> list[np.ndarray]:
        """The next rows of each part; no row comes twice before all of its part were drawn.

        Args:
            counts: rows wanted of each part.
            cursors: rows of each part drawn before.
            seed: order seed.

        Returns:
            Row numbers of each part.
        """
        drawn = []
        for index, (part, count, cursor) in enumerate(
            zip(self.parts, counts, cursors, strict=True)
        ):
            places = np.arange(cursor, cursor + count)
            epochs, offsets = np.divmod(places, part.stop - part.start)
            rows = [
                self._order(index, int(epoch), seed)[offsets[epochs == epoch]]
                for epoch in np.unique(epochs)
            ]
            drawn.append(part.start + np.concatenate(rows) if rows else np.empty(0, np.int64))
        return drawn

    def _order(self, index: int, epoch: int, seed: int) -> np.ndarray:
        key = (index, epoch, seed)
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
            np.full(len(r), part.question, np.int64)
            for r, part in zip(rows, self.parts, strict=True)
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
        return Batch(ids.astype(np.int64), question, self.labels[rows].astype(np.int64), rows)

    def texts(self, rows: np.ndarray, tokenizer: Tokenizer) -> list[str]:
        """The normalised texts of rows, back from their tokens."""
        pieces = tokenizer.pieces
        spans = zip(self.offsets[rows].tolist(), self.offsets[rows + 1].tolist(), strict=True)
        joined = (b"".join(pieces[t] for t in self.tokens[a:b].tolist()) for a, b in spans)
        return [text.decode("utf-8", "replace") for text in joined]


def prepare(
    data: Path,
    tokenizer: Tokenizer,
    fields: list[str],
    tasks: list[str],
    output: Path,
    written_times: int = 0,
) -> None:
    """Encode the pretraining files of fields and the training splits of tasks into one file.

    Rows that stand in any task's dev, test or extra file are left out.

    Args:
        data: folder with ``pretrain/`` and ``tasks/``.
        tokenizer: encodes the rows.
        fields: field kinds whose files are read.
        tasks: tasks whose training splits are added to their field kind.
        output: the file that is written.
        written_times: how often each template of rows written by hand is filled; they are a part
            of their own beside the task's and answer the same question. 0 adds none.
    """
    questions: list[dict[str, object]] = []
    writer, parts, first = _Writer(tokenizer), [], 0
    for field in fields:
        files = corpus.sources(data, field)
        held = withheld(data, field)
        names = [path.name.removesuffix(".txt.zst") for path in files]
        questions.append({"name": f"source of {field}", "labels": names})
        for i, (name, path) in enumerate(zip(names, files, strict=True)):
            span = writer.rows(list(corpus.lines(path)), field, [first + i], held)
            parts.append(Part(name, field, False, *span, len(questions) - 1, first, len(names)))
        first += len(names)
        for task in (task for task in tasks if corpus.field_of(data, task) == field):
            examples, made = _labelled(data, task, written_times)
            labels = sorted({example.label for example in examples})
            number = {label: first + i for i, label in enumerate(labels)}
            questions.append({"name": task, "labels": labels})
            for name, rows in ((task, examples), (f"{task} {written.SOURCE}", made)):
                if rows:
                    targets = [number[row.label] for row in rows]
                    span = writer.rows([row.text for row in rows], field, targets, held)
                    parts.append(
                        Part(name, field, True, *span, len(questions) - 1, first, len(labels))
                    )
            first += len(labels)
    meta = {"parts": [part.__dict__ for part in parts], "questions": questions}
    save_file(writer.arrays(), output, metadata={"mixture": json.dumps(meta)})


def _labelled(data: Path, task: str, times: int) -> tuple[list[Example], list[Example]]:
    """A task's training rows, and those written by hand under labels that these have."""
    examples = corpus.split(data, task, "train")
    if not times or task not in written.tasks():
        return examples, []
    made = written.learnable(data, task, 1, times, {example.label for example in examples})
    return written.corrected(examples, made), made


def even(row: list[int]) -> list[int]:
    """A row at one of few lengths: rows of one length make a batch, and long rows are few.

    A row longer than 32 tokens loses up to 15 in its middle.
    """
    length = min(len(row), MAX_TOKENS)
    step = next(step for limit, step in _STEPS if length <= limit)
    return both_ends(row, length // step * step)


class _Writer:
    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[np.ndarray] = []
        self._lengths: list[np.ndarray] = []
        self._labels: list[np.ndarray] = []
        self._rows = 0

    def rows(
        self, texts: list[str], field: str, labels: list[int], held: set[str | bytes]
    ) -> tuple[int, int]:
        """Encode texts that are not withheld; one label for all, or one each. (start, stop)."""
        start = self._rows
        normalized = [normalize(text, field) for text in texts]
        kept = [i for i, text in enumerate(normalized) if text not in held]
        for i in range(0, len(kept), _ENCODE_ROWS):
            chunk = [normalized[k] for k in kept[i : i + _ENCODE_ROWS]]
            rows = [even(row) for row in self._tokenizer.encode_batch(chunk, field)]
            self._tokens.append(np.concatenate([np.array(r, np.uint16) for r in rows]))
            self._lengths.append(np.array([len(r) for r in rows], np.int64))
        each = labels * len(texts) if len(labels) == 1 else labels
        self._labels.append(np.array([each[k] for k in kept], np.int16))
        self._rows += len(kept)
        return start, self._rows

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything written, to be stored."""
        lengths = np.concatenate(self._lengths)
        return {
            "tokens": np.concatenate(self._tokens),
            "offsets": np.concatenate(([0], np.cumsum(lengths))).astype(np.int64),
            "labels": np.concatenate(self._labels),
        }
