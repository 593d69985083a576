"""Who is compared: each takes a task's rows and a seed, and answers the test rows."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from unmist import model as opened
from unmist.artifact import layout
from unmist.errors import InputError
from unmist.evaluate.compare import bodies, light, training
from unmist.evaluate.compare.names import FASTTEXT, LINEAR, LORA, NGRAMS, PROBE, SHIPPED
from unmist.evaluate.compare.rows import TaskData
from unmist.evaluate.compare.training import Recipe
from unmist.evaluate.probes import classifiers
from unmist.evaluate.probes.encoders import Cached, Encoder, Ours, Peer
from unmist.labelled.data import Example
from unmist.model import Model


@dataclass(frozen=True)
class Answer:
    """What a contender answered.

    Attributes:
        predicted: label numbers int64 [n] of the test rows.
        parameters: of the whole model, as it would be used.
        trained: of these, how many moved in the fit.
        rows: training rows.
        examples: rows seen, all epochs together; None where the question has no meaning.
        cut: whether the cap on time ended the fit.
        seconds: of the fit, without the answers.
    """

    predicted: np.ndarray
    parameters: int
    trained: int
    rows: int
    examples: int | None
    cut: bool
    seconds: float

    def figures(self) -> dict[str, Any]:
        """All but the answers themselves."""
        return {k: v for k, v in vars(self).items() if k != "predicted"}


class Contender(Protocol):
    """One model used in one way.

    Attributes:
        model: its name.
        how: the way.
        seeded: whether another seed gives another fit.
        every: whether it learns from all training rows of a task, not only from the common ones.
    """

    model: str
    how: str
    seeded: bool
    every: bool

    def weights(self) -> str:
        """Says which weights it starts from; empty for none."""
        ...

    def answer(self, data: TaskData, seed: int) -> Answer:
        """Learn, and answer the test rows. Raises UsageError where something is not installed."""
        ...


@dataclass
class Floor:
    """Character n-grams under a linear classifier, in eight passes as it is published."""

    every: bool = False
    model: str = NGRAMS
    how: str = LINEAR
    seeded: bool = True

    def __post_init__(self) -> None:
        self.model += ", all rows" if self.every else ""

    def weights(self) -> str:
        return ""

    def answer(self, data: TaskData, seed: int) -> Answer:
        rows = data.every if self.every else data.train
        began = time.monotonic()
        fitted = light.Ngrams(rows, data.numbers(rows), seed)
        seconds = round(time.monotonic() - began, 1)
        count, passes = fitted.parameter_count(), 8
        said = fitted.predict(data.test)
        return Answer(said, count, count, len(rows), passes * len(rows), False, seconds)


@dataclass
class Words:
    """fastText's supervised classifier."""

    recipe: Recipe
    threads: int = 1
    every: bool = False
    model: str = FASTTEXT
    how: str = LINEAR
    seeded: bool = True

    def __post_init__(self) -> None:
        self.model += ", all rows" if self.every else ""

    def weights(self) -> str:
        return ""

    def answer(self, data: TaskData, seed: int) -> Answer:
        rows, epochs = data.every if self.every else data.train, self.recipe.epochs
        began = time.monotonic()
        fitted = light.FastText(rows, data.numbers(rows), seed, epochs, self.threads)
        seconds = round(time.monotonic() - began, 1)
        count = fitted.parameter_count()
        said = fitted.predict(data.test)
        return Answer(said, count, count, len(rows), epochs * len(rows), False, seconds)


@dataclass
class Tuned:
    """A transformer, or the character CNN, trained on the rows: whole or through LoRA.

    Args:
        body: makes the encoder as it is before the fit.
        folder: where its weights lie; None for random ones.
        scratch: whether it starts from random weights, which want a higher rate.
    """

    model: str
    how: str
    body: Callable[[], bodies.Body]
    recipe: Recipe
    folder: Path | None = None
    scratch: bool = False
    seeded: bool = True
    every: bool = False

    def weights(self) -> str:
        return weights_of(self.folder)

    def answer(self, data: TaskData, seed: int) -> Answer:
        classifier, course = self.train(data, seed)
        texts = [row.text for row in data.test]
        said = training.predict(classifier, texts, data.field, self.recipe.bf16)
        parameters = sum(int(weight.numel()) for weight in classifier.parameters())
        return Answer(
            said,
            parameters,
            course.trained,
            len(data.train),
            course.examples,
            course.cut,
            course.seconds,
        )

    def train(self, data: TaskData, seed: int) -> tuple[training.Classifier, training.Course]:
        """The trained classifier, and how it went."""
        torch.manual_seed(seed)
        classifier = training.Classifier(self.body(), len(data.labels))
        if self.how == LORA:
            classifier.adapt(self.recipe.rank)
        whole = self.recipe.scratch_lr if self.scratch else self.recipe.lr
        lr = self.recipe.lora_lr if self.how == LORA else whole
        return classifier, training.fit(classifier, data, lr, self.recipe, seed)


@dataclass
class Probed:
    """Logistic regression on frozen vectors, its penalty chosen on dev.

    Args:
        encoder: opens the model, when it is first needed.
        folder: where its weights lie.
        kept: folder for vectors, or None.
        bf16: products of torch in bfloat16; our engine always computes in float32.
    """

    model: str
    encoder: Callable[[], Encoder]
    folder: Path
    kept: Path | None
    bf16: bool = False
    how: str = PROBE
    seeded: bool = False
    every: bool = False

    def weights(self) -> str:
        return weights_of(self.folder)

    @cached_property
    def _cached(self) -> Cached:
        return Cached(self.encoder(), self.kept)

    def answer(self, data: TaskData, seed: int) -> Answer:
        began = time.monotonic()
        splits = {"train": data.train, "dev": data.dev, "test": data.test}
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bf16):
            vectors = [self._vectors(rows, data.field) for rows in splits.values()]
        said = classifiers.linear(classifiers.Labelled.of(splits), *vectors).predicted
        seconds = round(time.monotonic() - began, 1)
        names = sorted({row.label for row in data.train})
        numbers = np.array([data.labels.index(name) for name in names])[said]
        head = (vectors[0].shape[1] + 1) * len(names)
        total = self._cached.parameters + head
        return Answer(numbers, total, head, len(data.train), None, False, seconds)

    def _vectors(self, rows: list[Example], field: str) -> np.ndarray:
        return self._cached.vectors([row.text for row in rows], field)


@dataclass
class Shipped:
    """A specialist as it lies in the model folder, wide head included; it learnt from all rows."""

    model: str
    folder: Path
    threads: int | None = None
    how: str = SHIPPED
    seeded: bool = False
    every: bool = True

    def weights(self) -> str:
        return hashlib.sha256((self.folder / layout.MANIFEST).read_bytes()).hexdigest()[:16]

    @cached_property
    def _model(self) -> Model:
        return opened.load(self.folder, threads=self.threads, cache=0)

    def answer(self, data: TaskData, seed: int) -> Answer:
        labels = self._model.labels(data.name)
        odds = self._model.probabilities([row.text for row in data.test], data.name)
        place = {label: i for i, label in enumerate(data.labels)}
        said = np.array([place.get(label, -1) for label in labels])[odds.argmax(1)]
        card = self._model.info()["tasks"][data.name]
        own = int(card["parameters"] + card["wide_parameters"])
        total = int(self._model.info()["parameters"]) + own
        return Answer(said, total, own, len(data.every), None, False, 0.0)


@cache
def weights_of(folder: Path | None) -> str:
    """The beginning of the SHA-256 of a folder's ``model.safetensors``; empty for no folder."""
    if folder is None:
        return ""
    path = folder / layout.WEIGHTS
    if not path.is_file():
        raise InputError(f"no {layout.WEIGHTS} here; expected a model folder", str(folder))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:16]


def our_encoder(name: str, folder: Path, threads: int | None) -> Callable[[], Encoder]:
    """Opens a model folder of unmist for its vectors."""
    return lambda: Ours(opened.load(folder, threads=threads, cache=0), name)


def peer_encoder(name: str, folder: Path, threads: int | None) -> Callable[[], Encoder]:
    """Opens a sentence-transformers folder for its vectors."""
    return lambda: Peer(name, folder, threads)
