"""From texts to calibrated probabilities: normalise, look into the cache, ask the network once for
everything that is new, and say of each text whether it is of the kind that its specialist knows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from unmist.artifact import Folder, TaskCard
from unmist.cache import Cache
from unmist.engine import Engine
from unmist.engine.router import Router
from unmist.engine.wide import Wide, together
from unmist.text import both_ends, cut, normalize, reads_name

Text = str | bytes


@dataclass(frozen=True)
class Answer:
    """What a specialist says of a text.

    Attributes:
        probabilities: float32 [labels], calibrated, in the order of the card's labels.
        truncated: whether the text was too long and read at its ends only.
        familiar: whether the text is of the specialist's field kind, as far as can be told, and
            not a name without meaning outside one network to one that has learnt public names.
    """

    probabilities: np.ndarray
    truncated: bool
    familiar: bool


class Answerer:
    """All specialists of a model folder, asked together."""

    def __init__(self, folder: Folder, engine: Engine, cache: Cache) -> None:
        self._engine, self._cache = engine, cache
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
        return logits

    def encode(self, texts: Sequence[Text], field: str) -> tuple[list[list[int]], list[bool]]:
        """Token rows of normalised texts, and whether each was cut."""
        pieces = [cut(text) for text in texts]
        rows = self._tokenizer.encode_batch([text for text, _ in pieces], field)
        limit = self._engine.max_tokens
        truncated = [was or len(r) > limit for (_, was), r in zip(pieces, rows, strict=True)]
        return [both_ends(row, limit) for row in rows], truncated

    def _known(self, questions: list[tuple[str, Text]]) -> dict[tuple[str, Text], Answer]:
        """The answers that the cache has. A text that was cut is never kept there."""
        found = {}
        for task in dict.fromkeys(task for task, _ in questions):
            texts = [text for asked, text in questions if asked == task]
            for text, row in zip(texts, self._cache.find(task, texts), strict=True):
                if row is not None:
                    numbers = np.frombuffer(row, np.float32)
                    found[task, text] = Answer(numbers[:-1], False, bool(numbers[-1]))
        return found

    def _compute(self, questions: list[tuple[str, Text]]) -> list[Answer]:
        if not questions:
            return []
        keys = [(self._cards[task].field, text) for task, text in questions]
        place = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        rows, read, truncated, familiar = self._rows(list(place))
        asked = [(place[key], task) for key, (task, _) in zip(keys, questions, strict=True)]
        network = self._engine.run_mixed(rows, asked)
        answers: list[Answer | None] = [None] * len(questions)
        members: dict[str, list[int]] = {}
        for i, (task, _) in enumerate(questions):
            members.setdefault(task, []).append(i)
        spelled = self._spelled(
            {t: [asked[i][0] for i in mine] for t, mine in members.items()}, read
        )
        for task, mine in members.items():
            logits = np.array([network[i] for i in mine], np.float64)
            if task in spelled:
                logits += spelled[task]
            said = _softmax(logits / self._cards[task].temperature)
            for i, probabilities in zip(mine, said, strict=True):
                row = asked[i][0]
                known = familiar[row] and self._reads(task, questions[i][1])
                answers[i] = Answer(probabilities, truncated[row], known)
            self._keep(task, [(questions[i][1], answers[i]) for i in mine])
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

    def _rows(
        self, keys: list[tuple[str, Text]]
    ) -> tuple[list[list[int]], list[bytes], list[bool], list[bool]]:
        """Token rows of (field kind, text), and what they read; whether each was cut, and is of
        that kind."""
        rows: list[list[int]] = [[]] * len(keys)
        read = [b""] * len(keys)
        truncated, familiar = [False] * len(keys), [True] * len(keys)
        for field in dict.fromkeys(field for field, _ in keys):
            places = [i for i, (other, _) in enumerate(keys) if other == field]
            encoded, was_cut = self.encode([keys[i][1] for i in places], field)
            texts = [self._tokenizer.decode(row) for row in encoded]
            for i, row, text, cut_off in zip(places, encoded, texts, was_cut, strict=True):
                rows[i], read[i], truncated[i] = row, text, cut_off
            if self.router is not None:
                like = self.router.familiar(texts, field).tolist()
                for i, known in zip(places, like, strict=True):
                    familiar[i] = known
        return rows, read, truncated, familiar

    def _keep(self, task: str, said: list[tuple[Text, Answer | None]]) -> None:
        whole = [(text, answer) for text, answer in said if answer and not answer.truncated]
        if whole:
            rows = [np.append(a.probabilities, np.float32(a.familiar)) for _, a in whole]
            self._cache.keep(task, [text for text, _ in whole], np.array(rows, np.float32))


def _softmax(logits: np.ndarray) -> np.ndarray:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    out: np.ndarray = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
    return out


def doubt(answer: Answer, card: TaskCard) -> str | None:
    """Why unmist does not stand by an answer: ``unfamiliar``, ``below_threshold`` or None."""
    if not answer.familiar:
        return "unfamiliar"
    label = int(answer.probabilities.argmax())
    low = float(answer.probabilities[label]) < card.thresholds[card.labels[label]]
    return "below_threshold" if low else None
