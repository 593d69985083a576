"""What the model's thread computes, and what is known about the model without asking it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from unmist.explain import MAX_SPANS, Explanation
from unmist.verdict import Verdict

if TYPE_CHECKING:
    import numpy as np

    from unmist.model import Model


TEXT_OVERHEAD: Final = 16  # bytes that even a short text is counted as, beside its own


class Question(NamedTuple):
    """What is asked about a text: ``embed`` as a field kind, the others by a task."""

    kind: Literal["embed", "classify", "rank", "explain"]
    name: str


def cost(question: Question, text: str) -> int:
    """About how much work a text is, in bytes; an explanation asks it again for every piece."""
    size = len(text.encode())
    times = 1 + min(size, MAX_SPANS) if question.kind == "explain" else 1
    return (size + TEXT_OVERHEAD) * times


class Embedded(NamedTuple):
    """``vector`` float32 [dim]; ``tokens`` of the text as sent, with its kind's token."""

    vector: np.ndarray
    tokens: int


class Ranked(NamedTuple):
    """A verdict; ``odds`` float32 [labels] only when ranks were asked for and there was text, and
    ``explanation`` only when that was asked for. ``labels`` are those of the odds."""

    verdict: Verdict
    odds: np.ndarray | None = None
    labels: tuple[str, ...] = ()
    explanation: Explanation | None = None


@dataclass(frozen=True)
class TaskFacts:
    """The field kind that a task reads, the hash of its adapter, and its labels."""

    field: str
    hash: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Facts:
    """What requests are checked against; read once, so that no request touches the model."""

    name: str
    version: str
    hash: str
    dim: int
    fields: tuple[str, ...]
    tasks: dict[str, TaskFacts]

    @classmethod
    def of(cls, model: Model) -> Facts:
        """Read them from a loaded model."""
        info: dict[str, Any] = model.info()
        tasks = {
            t: TaskFacts(model.field_of(t), info["tasks"][t]["hash"], model.labels(t))
            for t in model.tasks
        }
        fields = tuple(model.tokenizer.field_ids)
        return cls(info["name"], info["version"], model.hash, model.dim, fields, tasks)


class Known:
    """What is known now: ``facts``, which change when other adapters are taken in."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts


def alike(question: Question) -> Hashable:
    """What the model can be asked in one call: verdicts of any tasks, vectors of one kind."""
    return question.kind if question.kind in ("classify", "rank") else question


class Answerer:
    """Answers questions that are alike; call it from one thread only."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, items: Sequence[tuple[Question, str]]) -> Sequence[Embedded | Ranked]:
        """One answer per question and text, in order."""
        texts = [text for _, text in items]
        kind, name = items[0][0]
        if kind == "embed":
            return self._embed(texts, name)
        tasks = [question.name for question, _ in items]
        if kind == "classify":
            return [Ranked(verdict) for verdict in self._model.classify(texts, tasks)]
        labels = {task: self._model.labels(task) for task in dict.fromkeys(tasks)}
        ranked = [Ranked(v, odds, labels[v.task]) for v, odds in self._model.rank(texts, tasks)]
        if kind == "rank":
            return ranked
        return [
            one._replace(explanation=self._model.explain(text, name))
            for text, one in zip(texts, ranked, strict=True)
        ]

    def _embed(self, texts: list[str], field: str) -> list[Embedded]:
        vectors = self._model.embed(texts, field)
        tokens = self._model.tokenizer.encode_batch(texts, field)
        return [Embedded(v, len(ids)) for v, ids in zip(vectors, tokens, strict=True)]
