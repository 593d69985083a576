"""From texts to calibrated probabilities: normalise, look into the cache, ask the network once for
everything that is new, and say of each text whether it is of the kind that its specialist knows."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, NamedTuple, TypeVar

import numpy as np

from unmist.artifact import Folder, TaskCard
from unmist.cache import Cache
from unmist.engine import Engine
from unmist.engine.router import Router
from unmist.engine.wide import Wide, together
from unmist.text import both_ends, cut, normalize, reads_name

Text = str | bytes
F = TypeVar("F")
S = TypeVar("S")
# Questions from which the n-grams are worth a thread of their own while the network computes.
SEVERAL: Final = 512


class Answer(NamedTuple):
    """What a specialist says of a text.

    Attributes:
        probabilities: float32 [labels], calibrated, in the order of the card's labels.
        truncated: whether the text was too long and read at its ends only.
        familiar: whether the text is of the specialist's field kind, as far as can be told, not a
            name without meaning outside one network to one that has learnt public names, and not
            one of those that bear none of its labels, if it has learnt to tell them.
        best: number of the likeliest label, the first of equals.
        score: its probability.
    """

    probabilities: np.ndarray
    truncated: bool
    familiar: bool
    best: int
    score: float


class Answerer:
    """All specialists of a model folder, asked together."""

    def __init__(self, folder: Folder, engine: Engine, cache: Cache) -> None:
        self._engine, self._cache = engine, cache
        self._several = SEVERAL if engine.threads != 1 else None  # one thread is one thread
        self._tokenizer = folder.tokenizer
        self._cards = {task: adapter.card for task, adapter in folder.adapters.items()}
        self._wide = {t: Wide(*a.wide) for t, a in folder.adapters.items() if a.wide is not None}
        self.router = Router(folder.router) if folder.router is not None else None

    def answers(self, texts: Sequence[Text], tasks: Sequence[str]) -> list[Answer]:
        """One answer for every pair of a text and the task it is asked about, in order.

        Equal questions are computed once; questions of all tasks go through the network together.
        """
        plain = [normalize(t, self._cards[k].field) for t, k in zip(texts, tasks, strict=True)]
        questions = list(dict.fromkeys(zip(tasks, plain, strict=True)))
        answers = self._known(questions)
        missing = [question for question in questions if question not in answers]
        answers |= dict(zip(missing, self._compute(missing), strict=True))
        return [answers[question] for question in zip(tasks, plain, strict=True)]

    def logits(self, rows: list[list[int]], task: str) -> np.ndarray:
        """float64 [n, labels] of token rows: the adapter's head and the wide head beside it."""
        asked = [(row, task) for row in range(len(rows))]
        logits = np.array(self._engine.run_mixed(rows, asked), np.float64)
        if task in self._wide:
            logits += self._wide[task].logits([self._tokenizer.decode(row) for row in rows])
        return logits[:, : len(self._cards[task].labels)]

    def encode(self, texts: Sequence[Text], field: str) -> tuple[list[list[int]], list[bool]]:
        """Token rows of normalised texts, and whether each was cut."""
        pieces = [cut(text) for text in texts]
        rows = self._tokenizer.encode_batch([text for text, _ in pieces], field)
        limit = self._engine.max_tokens
        truncated = [was or len(r) > limit for (_, was), r in zip(pieces, rows, strict=True)]
        return [both_ends(row, limit) for row in rows], truncated

    def _known(self, questions: list[tuple[str, Text]]) -> dict[tuple[str, Text], Answer]:
        """The answers that the cache has. A text that was cut is never kept there."""
        found: dict[tuple[str, Text], Answer] = {}
        for task in dict.fromkeys(task for task, _ in questions):
            texts = [text for asked, text in questions if asked == task]
            kept = [(t, r) for t, r in zip(texts, self._cache.find(task, texts), strict=True) if r]
            if kept:
                numbers = np.frombuffer(b"".join(row for _, row in kept), np.float32)
                numbers = numbers.reshape(len(kept), -1)
                answers = _answers(numbers[:, :-1], [False] * len(kept), numbers[:, -1] > 0)
                found |= {(task, text): a for (text, _), a in zip(kept, answers, strict=True)}
        return found

    def _compute(self, questions: list[tuple[str, Text]]) -> list[Answer]:
        if not questions:
            return []
        keys = [(self._cards[task].field, text) for task, text in questions]
        place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        rows, truncated = self._rows(list(place))
        asked = [(place[key], task) for key, (task, _) in zip(keys, questions, strict=True)]
        read = [self._tokenizer.decode(row) for row in rows]
        members: dict[str, list[int]] = {}
        for i, (task, _) in enumerate(questions):
            members.setdefault(task, []).append(i)

        def said_by_bytes() -> tuple[dict[str, np.ndarray], np.ndarray]:
            places = {task: [asked[i][0] for i in mine] for task, mine in members.items()}
            return self._spelled(places, read), self._familiar([f for f, _ in place], read)

        apart = self._several is not None and len(questions) >= self._several
        network, (spelled, familiar) = _both(
            lambda: self._engine.run_mixed(rows, asked), said_by_bytes, apart=apart
        )
        answers: list[Answer | None] = [None] * len(questions)
        for task, mine in members.items():
            logits = np.array([network[i] for i in mine], np.float64)
            if task in spelled:
                logits += spelled[task]
            said, inside = _read(logits, self._cards[task])
            places, texts = [asked[i][0] for i in mine], [questions[i][1] for i in mine]
            known = familiar[places] & inside & [self._reads(task, text) for text in texts]
            was_cut = [truncated[place] for place in places]
            for i, answer in zip(mine, _answers(said, was_cut, known), strict=True):
                answers[i] = answer
            self._keep(task, texts, said, known, was_cut)
        return [answer for answer in answers if answer is not None]

    def _reads(self, task: str, text: Text) -> bool:
        card = self._cards[task]
        return reads_name(text, card.field, card.special_use)

    def _spelled(self, asked: dict[str, list[int]], read: list[bytes]) -> dict[str, np.ndarray]:
        """What the wide heads say, by task, of the texts at some places of ``read``. Tasks that are
        asked about the same texts share their n-grams."""
        alike: dict[tuple[int, ...], list[str]] = {}
        for task, places in asked.items():
            if task in self._wide:
                alike.setdefault(tuple(places), []).append(task)
        said: dict[str, np.ndarray] = {}
        for chosen, tasks in alike.items():
            heads = [self._wide[task] for task in tasks]
            said |= zip(tasks, together(heads, [read[i] for i in chosen]), strict=True)
        return said

    def _rows(self, keys: list[tuple[str, Text]]) -> tuple[list[list[int]], list[bool]]:
        """Token rows of (field kind, text), and whether each was cut."""
        rows: list[list[int]] = [[]] * len(keys)
        truncated = [False] * len(keys)
        for field in dict.fromkeys(field for field, _ in keys):
            places = [i for i, (other, _) in enumerate(keys) if other == field]
            encoded, was_cut = self.encode([keys[i][1] for i in places], field)
            for i, row, cut_off in zip(places, encoded, was_cut, strict=True):
                rows[i], truncated[i] = row, cut_off
        return rows, truncated

    def _familiar(self, fields: list[str], read: list[bytes]) -> np.ndarray:
        """Whether each text is of its field kind: bool [n]."""
        familiar = np.ones(len(read), bool)
        if self.router is None:
            return familiar
        for field in dict.fromkeys(fields):
            places = [i for i, other in enumerate(fields) if other == field]
            familiar[places] = self.router.familiar([read[i] for i in places], field)
        return familiar

    def _keep(
        self,
        task: str,
        texts: list[Text],
        said: np.ndarray,
        familiar: np.ndarray,
        truncated: list[bool],
    ) -> None:
        whole = [i for i, was_cut in enumerate(truncated) if not was_cut]
        rows = np.column_stack((said, familiar)).astype(np.float32)[whole]
        self._cache.keep(task, [texts[i] for i in whole], rows)


def _both(first: Callable[[], F], second: Callable[[], S], *, apart: bool) -> tuple[F, S]:
    """What both return; with ``apart`` the first one is called on a thread of its own."""
    if not apart:
        return first(), second()
    with ThreadPoolExecutor(1) as meanwhile:
        found = meanwhile.submit(first)
        other = second()
        return found.result(), other


def _answers(said: np.ndarray, truncated: list[bool], familiar: np.ndarray) -> list[Answer]:
    """One answer for each row of ``said`` [n, labels]."""
    best = said.argmax(axis=1)
    scores = said[np.arange(len(said)), best].tolist()
    rows = zip(said, truncated, familiar.tolist(), best.tolist(), scores, strict=True)
    return [Answer(*row) for row in rows]


def _read(logits: np.ndarray, card: TaskCard) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float32 [n, labels] among the labels, and whether each row may bear one of
    them [n], from logits [n, outputs]."""
    said = _softmax(logits[:, : len(card.labels)] / card.temperature)
    if card.outside is None:
        return said, np.ones(len(logits), bool)
    return said, _softmax(logits)[:, -1] < card.outside


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: np.ndarray = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return out


def doubt(answer: Answer, card: TaskCard) -> str | None:
    """Why unmist does not stand by an answer: ``unfamiliar``, ``below_threshold`` or None."""
    if not answer.familiar:
        return "unfamiliar"
    low = answer.score < card.thresholds[card.labels[answer.best]]
    return "below_threshold" if low else None
