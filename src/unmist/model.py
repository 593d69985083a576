"""The one class users meet: load a model folder, embed and classify."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from unmist.artifact import SHIPPED, Folder, TaskCard, open_folder
from unmist.cache import ENTRIES, Cache, CacheInfo
from unmist.engine import Engine
from unmist.engine.wide import Wide
from unmist.errors import UsageError
from unmist.explain import NEAREST, Examples, Explanation, byte_weights, spans
from unmist.io import Row
from unmist.text import FIELDS, Tokenizer, both_ends, cut, normalize
from unmist.verdict import Status, Verdict

_BELOW = "below_threshold"
_TRUNCATED = "truncated"


def load(
    path: str | Path | None = None,
    *,
    adapters: Sequence[str | Path] = (),
    threads: int | None = None,
    cache: int = ENTRIES,
) -> "Model":
    """Open a model folder, checked against its manifest.

    Args:
        path: the folder; None opens the model that is shipped inside the package.
        adapters: adapter folders that lie elsewhere, as ``unmist train`` writes them.
        threads: CPU threads; None lets the engine choose.
        cache: answers to keep, so that a text which comes again is not computed again; 0 for none.

    Raises:
        ModelError: the folder is missing, altered, or holds what must not be opened.
        UsageError: ``cache`` is negative.
    """
    if cache < 0:
        raise UsageError(f"cache={cache}: expected a number of answers to keep, or 0 for none")
    folder = open_folder(Path(path) if path is not None else SHIPPED, [Path(a) for a in adapters])
    return Model(folder, Engine(folder, threads), cache)


class Model:
    """An encoder with its specialists. Safe to call again and again; not from two threads at once.

    Attributes:
        path: the model folder.
        hash: SHA-256 over every byte of the model; vectors of different hashes do not compare.
        tasks: the specialists' names.
        tokenizer: text to token ids and back.
        dim: width of a vector.
        engine: what computes, e.g. ``openvino f32``.
    """

    def __init__(self, folder: Folder, engine: Engine, cache: int = ENTRIES) -> None:
        self._folder, self._engine = folder, engine
        self.path, self.hash = folder.path, folder.hash
        self.tasks = tuple(folder.adapters)
        self.tokenizer: Tokenizer = folder.tokenizer
        self.dim = folder.config.hidden_size
        self.engine = engine.name
        self._wide = {t: Wide(*a.wide) for t, a in folder.adapters.items() if a.wide is not None}
        self._cache = Cache(cache)

    def compile(self) -> None:
        """Make ready for every task now, so that no first question waits for it."""
        self._engine.compile()

    def card(self, task: str) -> TaskCard:
        """A specialist's card: labels, thresholds, scores. Raises UsageError for a foreign name."""
        if task not in self._folder.adapters:
            raise UsageError(
                f"no task {task!r} in {self.path}; it has: {', '.join(self.tasks) or 'none'}"
            )
        return self._folder.adapters[task].card

    def field_of(self, task: str) -> str:
        """The field kind that a task reads."""
        return self.card(task).field

    def labels(self, task: str) -> tuple[str, ...]:
        """The closed set of labels of a task."""
        return tuple(self.card(task).labels)

    def embed(self, texts: Sequence[str | bytes], field: str = "hostname") -> np.ndarray:
        """Vectors of texts: float32 [n, dim], L2-normalised, in the order of ``texts``.

        Raises:
            UsageError: ``texts`` is one string, or ``field`` is not a field kind.
        """
        places, distinct = _distinct(texts, field)
        vectors: np.ndarray = self._engine.run(self._encode(distinct, field)[0]).vectors[places]
        return vectors

    def probabilities(
        self, texts: Sequence[str | bytes], task: str = "host-category"
    ) -> np.ndarray:
        """Calibrated probabilities float32 [n, labels], in the order of ``labels(task)``."""
        return self._probabilities(texts, self.card(task))[0]

    def classify(self, texts: Sequence[str | bytes], task: str = "host-category") -> list[Verdict]:
        """One verdict per text, in order. Any bytes are valid; an odd text never raises.

        Raises:
            UsageError: ``texts`` is one string, or the model has no such task.
        """
        return [verdict for verdict, _ in self.rank(texts, task)]

    def rank(
        self, texts: Sequence[str | bytes], task: str = "host-category"
    ) -> list[tuple[Verdict, np.ndarray | None]]:
        """The verdict of each text, with the calibrated probabilities float32 [labels] behind it.

        The probabilities are in the order of ``labels(task)``; None for a text that could not be
        asked about.

        Raises:
            UsageError: ``texts`` is one string, or the model has no such task.
        """
        _refuse_one_string(texts)
        rows = [_row(text) for text in texts]
        return self._rank(rows, texts, self.card(task), from_file=False)

    def stream(
        self, rows: Iterable[str | bytes], task: str = "host-category", batch: int = 256
    ) -> Iterator[Verdict]:
        """Verdicts of any number of texts, in order and in constant memory.

        Args:
            rows: texts, e.g. an open file; at most ``batch`` of them are read ahead.
            task: the specialist to ask.
            batch: texts that go through the network together.

        Raises:
            UsageError: at once, if ``rows`` is one string, ``batch`` is less than 1, or the model
                has no such task.
        """
        _refuse_one_string(rows)
        if batch < 1:
            raise UsageError(f"batch={batch}: expected 1 or more texts")
        self.card(task)
        return self._stream(iter(rows), task, batch)

    def classify_rows(self, rows: Sequence[Row], task: str) -> list[Verdict]:
        """One verdict per row of a log, keeping source and line; a row's problem is its reason."""
        texts = [row.text for row in rows]
        return [v for v, _ in self._rank(rows, texts, self.card(task), from_file=True)]

    def explain(
        self,
        text: str | bytes,
        task: str = "host-category",
        examples: Examples | None = None,
        nearest: int = NEAREST,
    ) -> Explanation:
        """The verdict of one text, and the weight of its bytes for ``model_label``.

        With ``examples`` also the ``nearest`` of them that carry this label. Costs as much as
        classifying up to 129 rows. Any bytes are valid.

        Raises:
            UsageError: the model has no such task.
        """
        card = self.card(task)
        verdict = self.classify([text], task)[0]
        if verdict.model_label is None:
            return Explanation(verdict, verdict.text, ())
        (ids,) = self._encode([normalize(text, card.field)], card.field)[0]
        name = verdict.model_label
        label = card.labels.index(name)

        def log_odds(rows: list[list[int]]) -> np.ndarray:
            logits = self._logits(rows, card) / card.temperature
            others = np.delete(logits, label, axis=1)
            top = others.max(axis=1)
            rest = top + np.log(np.exp(others - top[:, None]).sum(axis=1))
            odds: np.ndarray = logits[:, label] - rest
            return odds

        pieces = [self.tokenizer.piece(token) for token in ids]
        data = b"".join(pieces)
        return Explanation(
            verdict,
            data.decode("utf-8", "backslashreplace"),
            spans(ids, pieces, self.tokenizer.mask_id, log_odds),
            byte_weights(data, lambda texts: log_odds(self._encode(texts, card.field)[0])),
            examples.nearest(self.embed([text], card.field)[0], name, nearest) if examples else (),
        )

    def cache_info(self) -> CacheInfo:
        """How many answers came from the cache, and how many it holds."""
        return self._cache.info()

    def cache_clear(self) -> None:
        """Forget every kept answer, and the counts."""
        self._cache.clear()

    def info(self) -> dict[str, Any]:
        """What this model is: sizes, hash and every specialist's card."""
        folder = self._folder
        return {
            "name": folder.manifest.name,
            "version": folder.manifest.version,
            "path": str(self.path),
            "hash": self.hash,
            "engine": self.engine,
            "parameters": sum(array.size for array in folder.weights.values()),
            "bytes": sum(entry.bytes for entry in folder.manifest.files.values()),
            "dim": self.dim,
            "layers": folder.config.num_hidden_layers,
            "vocabulary": self.tokenizer.size,
            "tasks": {
                task: {
                    "field": adapter.card.field,
                    "labels": list(adapter.card.labels),
                    "thresholds": adapter.card.thresholds,
                    "precision": adapter.card.precision,
                    "temperature": adapter.card.temperature,
                    "parameters": sum(a.size + b.size for a, b in adapter.lora.values())
                    + adapter.weight.size
                    + adapter.bias.size,
                    "wide_parameters": adapter.wide[0].size if adapter.wide is not None else 0,
                    "scores": adapter.card.scores,
                    "licence": adapter.card.licence,
                }
                for task, adapter in folder.adapters.items()
            },
        }

    def _stream(self, rows: Iterator[str | bytes], task: str, batch: int) -> Iterator[Verdict]:
        while texts := list(islice(rows, batch)):
            yield from self.classify(texts, task)

    def _rank(
        self, rows: Sequence[Row], asked: Sequence[str | bytes], card: TaskCard, *, from_file: bool
    ) -> list[tuple[Verdict, np.ndarray | None]]:
        """``rows`` are what a verdict shows; ``asked`` is what the network reads."""
        askable = [i for i, row in enumerate(rows) if row.text.strip()]
        probabilities, truncated = self._probabilities([asked[i] for i in askable], card)
        best = probabilities.argmax(axis=1)
        said = {
            row: (card.labels[label], float(probabilities[i, label]), truncated[i])
            for i, (row, label) in enumerate(zip(askable, best.tolist(), strict=True))
        }
        odds = dict(zip(askable, probabilities, strict=True))
        return [
            (_verdict(row, card, said.get(i), from_file=from_file), odds.get(i))
            for i, row in enumerate(rows)
        ]

    def _probabilities(
        self, texts: Sequence[str | bytes], card: TaskCard
    ) -> tuple[np.ndarray, list[bool]]:
        """float32 [n, labels], and whether each text was cut. Equal texts are computed once."""
        places, distinct = _distinct(texts, card.field)
        known = self._cache.find(card.task, distinct)
        missing = [i for i, row in enumerate(known) if row is None]
        asked = [distinct[i] for i in missing]
        computed, cut_off = self._compute(asked, card)
        whole = [i for i, was_cut in enumerate(cut_off) if not was_cut]
        self._cache.keep(card.task, [asked[i] for i in whole], computed[whole])
        found = np.empty((len(distinct), len(card.labels)), np.float32)
        found[missing] = computed
        hits = [i for i, row in enumerate(known) if row is not None]
        data = b"".join(row for row in known if row is not None)
        found[hits] = np.frombuffer(data, np.float32).reshape(-1, found.shape[1])
        truncated = dict(zip(missing, cut_off, strict=True))
        return found[places], [truncated.get(place, False) for place in places.tolist()]

    def _compute(
        self, texts: Sequence[str | bytes], card: TaskCard
    ) -> tuple[np.ndarray, list[bool]]:
        """As ``_probabilities``, of normalised texts and without a look at the cache."""
        if not texts:
            return np.empty((0, len(card.labels)), np.float32), []
        rows, truncated = self._encode(texts, card.field)
        logits = self._logits(rows, card) / card.temperature
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = odds / odds.sum(axis=1, keepdims=True)
        return probabilities.astype(np.float32), truncated

    def _logits(self, rows: list[list[int]], card: TaskCard) -> np.ndarray:
        """float64 [n, labels]: the adapter's head, and the wide head where there is one."""
        logits = self._engine.run(rows, card.task).logits.astype(np.float64)
        if card.task in self._wide:
            logits += self._wide[card.task].logits([self.tokenizer.decode(row) for row in rows])
        return logits

    def _encode(
        self, texts: Sequence[str | bytes], field: str
    ) -> tuple[list[list[int]], list[bool]]:
        """Token rows of normalised texts, and whether each was cut."""
        pieces = [cut(text) for text in texts]
        rows = self.tokenizer.encode_batch([text for text, _ in pieces], field)
        limit = self._engine.max_tokens
        truncated = [was or len(r) > limit for (_, was), r in zip(pieces, rows, strict=True)]
        return [both_ends(row, limit) for row in rows], truncated


def _verdict(
    row: Row, card: TaskCard, said: tuple[str, float, bool] | None, *, from_file: bool
) -> Verdict:
    model_label, model_score, truncated = said if said is not None else (None, None, False)
    status: Status
    reason: str | None
    if row.problem is not None:
        status, reason = "bad_input", row.problem
    elif model_label is None or model_score is None:
        status, reason = "bad_input", "empty"
    elif model_score < card.thresholds[model_label]:
        status, reason = "abstain", _BELOW
    else:
        status, reason = "ok", _TRUNCATED if truncated else None
    return Verdict(
        text=row.text,
        field=card.field,
        task=card.task,
        label=model_label if status == "ok" else None,
        score=model_score if status == "ok" and model_score is not None else 0.0,
        status=status,
        reason=reason,
        model_label=model_label,
        model_score=model_score,
        source=row.source if from_file else None,
        line=row.line if from_file else None,
    )


def _row(text: str | bytes) -> Row:
    shown = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    return Row(text=shown, source="", line=0)


def _distinct(texts: Sequence[str | bytes], field: str) -> tuple[np.ndarray, list[str | bytes]]:
    """The different texts after normalising, and the place int64 [n] of each text among them."""
    _refuse_one_string(texts)
    if field not in FIELDS:
        raise UsageError(f"no field kind {field!r}; known: {', '.join(FIELDS)}")
    distinct: dict[str | bytes, int] = {}
    places = [distinct.setdefault(normalize(t, field), len(distinct)) for t in texts]
    return np.array(places, np.int64), list(distinct)


def _refuse_one_string(texts: Iterable[str | bytes]) -> None:
    if isinstance(texts, str | bytes):
        raise UsageError("expected a list of texts, got one; put it in a list: [text]")
