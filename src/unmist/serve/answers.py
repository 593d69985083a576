"""What the model's thread computes, and what is known about the model without asking it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from unmist.verdict import Verdict

if TYPE_CHECKING:
    import numpy as np

    from unmist.model import Model


class Question(NamedTuple):
    """What is asked about a text: ``embed`` as a field kind, or ``classify``/``rank`` by a task."""

    kind: Literal["embed", "classify", "rank"]
    name: str


class Embedded(NamedTuple):
    """``vector`` float32 [dim]; ``tokens`` of the text as sent, with its kind's token."""

    vector: np.ndarray
    tokens: int


class Ranked(NamedTuple):
    """A verdict; ``odds`` float32 [labels] only when ranks were asked for and there was text."""

    verdict: Verdict
    odds: np.ndarray | None = None


@dataclass(frozen=True)
class TaskFacts:
    """The field kind that a task reads, and its labels."""

    field: str
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
        tasks = {t: TaskFacts(model.field_of(t), model.labels(t)) for t in model.tasks}
        fields = tuple(model.tokenizer.field_ids)
        return cls(info["name"], info["version"], model.hash, model.dim, fields, tasks)


class Answerer:
    """Answers texts to one question; call it from one thread only."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def __call__(self, question: Question, texts: list[str]) -> Sequence[Embedded | Ranked]:
        """One answer per text, in order."""
        if question.kind == "embed":
            return self._embed(texts, question.name)
        if question.kind == "classify":
            return [Ranked(verdict) for verdict in self._model.classify(texts, question.name)]
        return [Ranked(*found) for found in self._model.rank(texts, question.name)]

    def _embed(self, texts: list[str], field: str) -> list[Embedded]:
        vectors = self._model.embed(texts, field)
        tokens = self._model.tokenizer.encode_batch(texts, field)
        return [Embedded(v, len(ids)) for v, ids in zip(vectors, tokens, strict=True)]
