"""A model whose vectors are known, and a small map made with it."""

import zlib
from types import SimpleNamespace

import numpy as np
import pytest

from unmist.map.points import MapPoints, TaskColumn, Texts

HOSTILE = (
    "</script><script>alert(1)</script>.example",
    '<img src=x onerror="alert(2)">.example',
    "<!--<script>.example",
    "a&lt;b'\"`${1}.example",
    "%%script%%.example",
    "right\u202eto-left.example",
    "line\u2028separator.example",
)


class FakeModel:
    """Three well separated groups; a text's group is its top-level domain."""

    hash = "ab" * 32
    dim = 16
    tasks = ("host-category",)

    def __init__(self):
        self.tokenizer = SimpleNamespace(
            encode_batch=lambda texts: [[0] for _ in texts], piece=lambda _: b""
        )

    def field_of(self, task):
        return "hostname"

    def embed(self, texts, field="hostname"):
        rows = []
        for text in texts:
            random = np.random.default_rng(zlib.crc32(text.encode()))
            centre = np.random.default_rng(zlib.crc32(text.rpartition(".")[2].encode()))
            rows.append(centre.normal(size=self.dim) * 3 + random.normal(size=self.dim))
        vectors = np.array(rows, np.float32).reshape(-1, self.dim)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    def classify(self, texts, task):
        return [
            SimpleNamespace(
                label="news" if t.endswith(".de") else None, model_label="news", model_score=0.75
            )
            for t in texts
        ]


def texts_of(names, **columns):
    n = len(names)
    return Texts(list(names), ["t"] * n, list(range(1, n + 1)), [1] * n, columns)


@pytest.fixture
def model():
    """A model without a network."""
    return FakeModel()


@pytest.fixture
def hosts():
    """180 names in three groups of one suffix each."""
    return texts_of([f"shop{i}.{end}" for i in range(60) for end in ("de", "ru", "xyz")])


@pytest.fixture
def hostile_map():
    """A map made of names that would be markup, and named after one of them."""
    n = len(HOSTILE)
    return MapPoints(
        texts=texts_of(HOSTILE, note=list(HOSTILE)),
        xy=np.linspace(-1, 1, 2 * n, dtype=np.float32).reshape(n, 2),
        clusters=np.zeros(n, np.int32),
        names=[HOSTILE[0]],
        neighbours=np.zeros((n, 2), np.int32),
        tasks={"host-category": TaskColumn([None] * n, [HOSTILE[1]] * n, np.ones(n, np.float32))},
        placed=np.zeros(n, bool),
        about={"field": "hostname"},
    )
