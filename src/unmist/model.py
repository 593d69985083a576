"""The one class users meet: load a model folder, embed and classify."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from unmist.answering import Answer, Answerer, doubt
from unmist.artifact import Folder, TaskCard, model_folder, open_folder, with_adapters
from unmist.cache import ENTRIES, Cache, CacheInfo
from unmist.engine import Engine
from unmist.errors import UsageError
from unmist.explain import NEAREST, Examples, Explanation, byte_weights, spans
from unmist.io import Row
from unmist.text import FIELDS, Tokenizer, normalize
from unmist.verdict import Status, Verdict

_TRUNCATED = "truncated"
ROUTER = "router"
"""The task of a verdict on a row that no specialist was asked about."""


class Route(NamedTuple):
    """What a text is: its field kind, ``other`` for none of them, and the probability of that."""

    field: str
    score: float


def load(
    path: str | Path | None = None,
    *,
    adapters: Sequence[str | Path] = (),
    threads: int | None = None,
    precision: str = "auto",
    cache: int = ENTRIES,
) -> "Model":
    """Open a model folder, checked against its manifest.

    Args:
        path: the folder, or ``small`` or ``edge`` for a model that is shipped inside the package;
            None opens ``small``.
        adapters: adapter folders that lie elsewhere, as ``unmist train`` writes them.
        threads: CPU threads; None lets the engine choose.
        precision: ``f32``, ``bf16``, or ``auto`` for what suits the CPU; the environment variable
            UNMIST_PRECISION says what ``auto`` is.
        cache: answers to keep, so that a text which comes again is not computed again; 0 for none.

    Raises:
        ModelError: the folder is missing, altered, or holds what must not be opened.
        UsageError: ``cache`` is negative, or there is no such precision.
    """
    if cache < 0:
        raise UsageError(f"cache={cache}: expected a number of answers to keep, or 0 for none")
    folder = open_folder(model_folder(path), [Path(a) for a in adapters])
    return Model(folder, Engine(folder, threads, precision), cache)


class Model:
    """An encoder with its specialists. Safe to call again and again; not from two threads at once.

    Attributes:
        path: the model folder.
        hash: SHA-256 over every byte of the model; vectors of different hashes do not compare.
        tasks: the specialists' names.
        tokenizer: text to token ids and back.
        dim: width of a vector.
        engine: what computes, e.g. ``openvino f32 (avx2)``.
    """

    def __init__(self, folder: Folder, engine: Engine, cache: int = ENTRIES) -> None:
        self._engine, self._cache = engine, Cache(cache)
        self.path = folder.path
        self.tokenizer: Tokenizer = folder.tokenizer
        self.dim = folder.config.hidden_size
        self.engine = engine.name
        self._use(folder)

    def use_adapters(self, folders: Sequence[str | Path]) -> None:
        """Answer with these adapters beside the model's own, and with no others, from now on.

        The encoder stays as it is and nothing is read again but the adapters; ``hash`` and
        ``tasks`` follow, and kept answers are forgotten.

        Args:
            folders: adapter folders, as for :func:`load`.

        Raises:
            ModelError: one of them cannot be opened; then nothing has changed.
        """
        self._use(with_adapters(self._folder, [Path(folder) for folder in folders]))
        self._cache.clear()

    def _use(self, folder: Folder) -> None:
        self._engine.use(folder)
        self._folder, self.hash = folder, folder.hash
        self.tasks = tuple(folder.adapters)
        self._answerer = Answerer(folder, self._engine, self._cache)

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
        rows, _ = self._answerer.encode(distinct, field)
        vectors: np.ndarray = self._engine.run(rows).vectors[places]
        return vectors

    def probabilities(
        self, texts: Sequence[str | bytes], task: str = "host-category"
    ) -> np.ndarray:
        """Calibrated probabilities float32 [n, labels], in the order of ``labels(task)``."""
        _refuse_one_string(texts)
        labels = len(self.card(task).labels)
        answers = self._answerer.answers(texts, [task] * len(texts))
        return np.array([a.probabilities for a in answers], np.float32).reshape(-1, labels)

    def classify(
        self, texts: Sequence[str | bytes], task: str | Sequence[str] = "host-category"
    ) -> list[Verdict]:
        """One verdict per text, in order. Any bytes are valid; an odd text never raises.

        Args:
            texts: what to ask about.
            task: the specialist to ask, or one for each text; all go through the network together.

        Raises:
            UsageError: ``texts`` is one string, there is not one task for each of them, or the
                model has no such task.
        """
        return [verdict for verdict, _ in self.rank(texts, task)]

    def route(self, texts: Sequence[str | bytes]) -> list[Route]:
        """The field kind of each text, ``other`` for what is none.

        What syntax leaves no doubt about (a URL with its scheme, an address, a mailbox, a digest, a
        file's path or name) is told by that; of all else the router decides, but for what begins
        like a command and would be of a kind that never does.

        Raises:
            UsageError: ``texts`` is one string, or the model has no router.
        """
        _refuse_one_string(texts)
        router = self._answerer.router
        if router is None:
            raise UsageError(f"{self.path} has no router to tell field kinds; name a task")
        return [Route(*kind) for kind in router.kinds([_bytes(text) for text in texts])]

    @property
    def routes(self) -> bool:
        """Whether the model can tell what kind a text is."""
        return self._answerer.router is not None

    def specialists(self, field: str) -> tuple[str, ...]:
        """The tasks that read any text of a field kind. One that assumes something of a text, say
        that its name was generated, is asked only by name."""
        cards = ((task, self.card(task)) for task in self.tasks)
        return tuple(task for task, card in cards if card.field == field and not card.assumes)

    def classify_routed(self, texts: Sequence[str | bytes]) -> list[list[Verdict]]:
        """For each text the verdicts of all specialists of its kind, in the order of ``tasks``.

        A text for which there is no specialist has one verdict, of the task ``router``, that
        abstains.

        Raises:
            UsageError: as for :meth:`route`.
        """
        _refuse_one_string(texts)
        return self._routed([_row(text) for text in texts], texts, from_file=False)

    def rank(
        self, texts: Sequence[str | bytes], task: str | Sequence[str] = "host-category"
    ) -> list[tuple[Verdict, np.ndarray | None]]:
        """The verdict of each text, with the calibrated probabilities float32 [labels] behind it.

        The probabilities are in the order of ``labels(task)``; None for a text that could not be
        asked about.

        Raises:
            UsageError: as for :meth:`classify`.
        """
        _refuse_one_string(texts)
        tasks = [task] * len(texts) if isinstance(task, str) else list(task)
        if len(tasks) != len(texts):
            raise UsageError(f"{len(tasks)} tasks for {len(texts)} texts; give one for each")
        for name in dict.fromkeys([task] if isinstance(task, str) else tasks):
            self.card(name)
        return self._rank([_row(text) for text in texts], texts, tasks, from_file=False)

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

    def ask_rows(self, rows: Sequence[Row], tasks: Sequence[str]) -> list[list[Verdict]]:
        """For each row of a log the verdicts of ``tasks``, or without tasks, as
        :meth:`classify_routed`, those of all specialists of its kind. They keep source and line; a
        row's problem is its reason."""
        texts = [row.text for row in rows]
        if not tasks:
            return self._routed(rows, texts, from_file=True)
        for task in tasks:
            self.card(task)
        count, turns = len(tasks), [task for _ in rows for task in tasks]
        repeated = [row for row in rows for _ in tasks]
        asked = [row.text for row in repeated]
        verdicts = [v for v, _ in self._rank(repeated, asked, turns, from_file=True)]
        return [verdicts[i : i + count] for i in range(0, len(verdicts), count)]

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
        (ids,) = self._answerer.encode([normalize(text, card.field)], card.field)[0]
        name = verdict.model_label
        label = card.labels.index(name)

        def log_odds(rows: list[list[int]]) -> np.ndarray:
            logits = self._answerer.logits(rows, card.task) / card.temperature
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
            byte_weights(data, lambda texts: log_odds(self._answerer.encode(texts, card.field)[0])),
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
                    "assumes": adapter.card.assumes,
                    "hash": adapter.hash,
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

    def _routed(
        self, rows: Sequence[Row], asked: Sequence[str | bytes], *, from_file: bool
    ) -> list[list[Verdict]]:
        routes = self.route(asked)
        pairs = [
            (i, task)
            for i, route in enumerate(routes)
            if rows[i].text.strip()  # of nothing there is no kind
            for task in self.specialists(route.field)
        ]
        several = [rows[i] for i, _ in pairs]
        texts, tasks = [asked[i] for i, _ in pairs], [task for _, task in pairs]
        verdicts: list[list[Verdict]] = [[] for _ in rows]
        ranked = self._rank(several, texts, tasks, from_file=from_file)
        for (i, _), (verdict, _) in zip(pairs, ranked, strict=True):
            verdicts[i].append(verdict)
        return [
            said or [_unasked(row, route, from_file=from_file)]
            for said, row, route in zip(verdicts, rows, routes, strict=True)
        ]

    def _rank(
        self,
        rows: Sequence[Row],
        asked: Sequence[str | bytes],
        tasks: Sequence[str],
        *,
        from_file: bool,
    ) -> list[tuple[Verdict, np.ndarray | None]]:
        """``rows`` are what a verdict shows; ``asked`` is what the network reads."""
        askable = [i for i, row in enumerate(rows) if row.text.strip()]
        answers = self._answerer.answers([asked[i] for i in askable], [tasks[i] for i in askable])
        said: dict[int, Answer] = dict(zip(askable, answers, strict=True))
        return [
            (
                _verdict(row, self.card(task), said.get(i), from_file=from_file),
                said[i].probabilities if i in said else None,
            )
            for i, (row, task) in enumerate(zip(rows, tasks, strict=True))
        ]


def _verdict(row: Row, card: TaskCard, answer: Answer | None, *, from_file: bool) -> Verdict:
    model_label, model_score = None, None
    if answer is not None:
        model_label, model_score = card.labels[answer.best], answer.score
    status: Status
    reason: str | None
    if row.problem is not None:
        status, reason = "bad_input", row.problem
    elif answer is None:
        status, reason = "bad_input", "empty"
    elif (reason := doubt(answer, card)) is not None:
        status = "abstain"
    else:
        status, reason = "ok", _TRUNCATED if answer.truncated else None
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


def _unasked(row: Row, route: Route, *, from_file: bool) -> Verdict:
    """The verdict on a row for whose kind there is no specialist, or that has no text."""
    empty = not row.text.strip()
    status: Status = "abstain"
    reason = "unfamiliar" if route.field == "other" else "no_specialist"
    if row.problem is not None or empty:
        status, reason = "bad_input", row.problem or "empty"
    return Verdict(
        text=row.text,
        field="other" if empty else route.field,
        task=ROUTER,
        label=None,
        score=0.0,
        status=status,
        reason=reason,
        model_label=None if empty else route.field,
        model_score=None if empty else route.score,
        source=row.source if from_file else None,
        line=row.line if from_file else None,
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")


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
