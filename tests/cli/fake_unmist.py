"""A model without a network, and the command line on top of it.

Run as a script it is ``unmist`` with that model, for what only a real process shows.
"""

import sys
import time
import types
from pathlib import Path

import numpy as np

from unmist.errors import ModelError
from unmist.verdict import Verdict

LABELS = ("news", "tracker")


class FakeModel:
    """Answers by what the text contains."""

    path = Path("fake")
    hash = "ab" * 32
    tasks = ("host-category", "url-category", "url-threat")
    dim = 4
    engine = "fake f32"
    routes = False

    def field_of(self, task):
        return "url" if task.startswith("url-") else "hostname"

    def labels(self, task):
        return LABELS

    def cache_clear(self):
        pass

    def ask_rows(self, rows, tasks):
        return [[self._verdict(row, task) for task in tasks or self.tasks] for row in rows]

    def embed(self, texts, field="hostname"):
        return np.array([[len(text), 1, 2, 3] for text in texts], dtype=np.float32)

    def info(self):
        return {
            "name": "fake",
            "version": "1",
            "parameters": 12_345_678,
            "hash": self.hash,
            "tasks": {"host-category": {"labels": list(LABELS), "threshold": 0.5}},
        }

    def _verdict(self, row, task):
        if row.text == "slow.example":
            time.sleep(30)
        if row.text == "broken.example":
            raise ModelError("the network gave no answer")
        said, score = ("news", 0.91) if "news" in row.text else ("tracker", 0.875)
        status, reason, label = "ok", None, said
        if "maybe" in row.text:
            status, reason, label, score = "abstain", "low_score", None, 0.43
        if row.problem is not None:
            status, reason, label, said = "bad_input", row.problem, None, None
        return Verdict(
            text=row.text,
            field=self.field_of(task),
            task=task,
            label=label,
            score=score if label else 0.0,
            status=status,
            reason=reason,
            model_label=said,
            model_score=score if said else None,
            source=row.source,
            line=row.line,
        )


def load(path=None, *, adapters=(), threads=None, precision="auto", cache=0):
    """Stands in for ``unmist.model.load``."""
    if path is not None and not path.is_dir():
        raise ModelError(f"{path}: no model folder here; give --model a folder with a manifest")
    return FakeModel()


def module():
    """Stands in for ``unmist.model``."""
    fake = types.ModuleType("unmist.model")
    fake.load = load
    fake.Model = FakeModel
    return fake


if __name__ == "__main__":
    sys.modules["unmist.model"] = module()
    from unmist.cli import main

    main(prog_name="unmist")
