"""A model without a network that insists on being called from one thread at a time.

Run as a script it is ``unmist`` with that model, for what only a real process shows.
"""

import hashlib
import re
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np

from unmist.cache import CacheInfo
from unmist.errors import ModelError, UsageError
from unmist.explain import Explanation, Span
from unmist.verdict import Verdict

DIM = 8
LABELS = ("news", "shop", "tracker")


class Tokenizer:
    """One token per character, and one for the field kind."""

    def __init__(self):
        self.field_ids = {"hostname": 5, "url": 6}

    def encode_batch(self, texts, field=None):
        return [[self.field_ids[field], *map(ord, text)] for text in texts]


class FakeModel:
    """Answers by a digest of the text, so that every answer can be checked against its text.

    ``slow-0.2.example`` takes 0.2 s. A text with ``broken`` raises, quoting the text.
    ``gate`` is waited for at every call, ``calls`` remembers (what was asked, texts).
    """

    path = Path("fake")
    hash = "ab" * 32
    tasks = ("host-category", "url-category")
    dim = DIM
    engine = "fake f32"

    def __init__(self, cache=9):
        self.cache = cache
        self.tokenizer = Tokenizer()
        self.calls = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self._inside = threading.Lock()

    def info(self):
        tasks = {task: {"hash": hashlib.sha256(task.encode()).hexdigest()} for task in self.tasks}
        return {"name": "unmist-small", "version": "1.0", "hash": self.hash, "tasks": tasks}

    def cache_info(self):
        return CacheInfo(hits=7, misses=5, entries=3, limit=self.cache)

    def field_of(self, task):
        return "url" if task == "url-category" else "hostname"

    def labels(self, task):
        return LABELS

    def embed(self, texts, field="hostname"):
        self._work(("embed", field), texts)
        return np.array([vector(text, field) for text in texts], np.float32)

    def use_adapters(self, folders):
        broken = [folder for folder in folders if "broken" in Path(folder).name]
        if broken:
            raise ModelError(f"{broken[0]}: altered")
        self.tasks = (*FakeModel.tasks, *(Path(folder).name for folder in folders))
        self.hash = hashlib.sha256(repr(self.tasks).encode()).hexdigest()

    def compile(self):
        """Nothing to do."""

    def rank(self, texts, tasks):
        self._work(("rank", *dict.fromkeys(tasks)), texts)
        verdicts = [self._verdict(*asked) for asked in zip(texts, tasks, strict=True)]
        return [
            (verdict, odds(verdict.text, verdict.task) if verdict.model_label else None)
            for verdict in verdicts
        ]

    def classify(self, texts, tasks):
        self._work(("classify", *dict.fromkeys(tasks)), texts)
        return [self._verdict(*asked) for asked in zip(texts, tasks, strict=True)]

    def explain(self, text, task="host-category"):
        self._work(("explain", task), [text])
        read = text.lower()
        size = len(read.encode())
        spans = (Span(0, size, read, round(size / 10, 4)),) if text.strip() else ()
        return Explanation(self._verdict(text, task), read, spans)

    def _work(self, asked, texts):
        assert self._inside.acquire(blocking=False), "two threads in the model at once"
        try:
            self.calls.append((asked, list(texts)))
            self.entered.set()
            self.gate.wait(20)
            time.sleep(sum(float(s) for t in texts for s in re.findall(r"slow-([0-9.]+\d)", t)))
            for text in texts:
                if "broken" in text:
                    raise RuntimeError(f"cannot read {text}")
        finally:
            self._inside.release()

    def _verdict(self, text, task):
        if task not in self.tasks:
            raise UsageError(f"no task {task!r}")
        common = {"text": text, "field": self.field_of(task), "task": task}
        if not text.strip():
            common |= {"model_label": None, "model_score": None}
            return Verdict(label=None, score=0.0, status="bad_input", reason="empty", **common)
        chances = odds(text, task)
        best = int(chances.argmax())
        label, score = LABELS[best], float(chances[best])
        common |= {"model_label": label, "model_score": score}
        if "maybe" in text:
            return Verdict(
                label=None, score=0.0, status="abstain", reason="below_threshold", **common
            )
        return Verdict(label=label, score=score, status="ok", reason=None, **common)


def vector(text, kind):
    """The vector of a text: float32 [DIM], of length 1."""
    digest = hashlib.sha256(f"{kind} {text}".encode()).digest()
    numbers = np.frombuffer(digest, np.uint8)[:DIM].astype(np.float32) + 1
    return numbers / np.linalg.norm(numbers)


def odds(text, task):
    """The probabilities of a text's labels: float32 [3], summing to 1."""
    numbers = vector(text, task)[: len(LABELS)]
    return (numbers / numbers.sum()).astype(np.float32)


def module():
    """Stands in for ``unmist.model``."""
    fake = types.ModuleType("unmist.model")

    def load(path=None, *, adapters=(), threads=None, precision="auto", cache=9):
        model = FakeModel(cache)
        if adapters:
            model.use_adapters(adapters)
        return model

    fake.load = load
    fake.Model = FakeModel
    return fake


if __name__ == "__main__":
    sys.modules["unmist.model"] = module()
    from unmist.cli import main

    main(prog_name="unmist")
