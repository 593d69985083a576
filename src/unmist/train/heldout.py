"""How far pretraining is, on rows that it does not learn from."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import numpy as np
import torch

from unmist.text import Tokenizer, normalize
from unmist.train import corpus
from unmist.train.corpus import Example
from unmist.train.mixture import even
from unmist.train.pretrainer import Pretrainer
from unmist.train.probe import linear_probe

PROBES: Final = (
    "host-category",
    "url-threat",
    "web-attack",
    "user-agent",
    "command-threat",
    "cloud-action",
    "log-source",
)


class Progress(Protocol):
    """What is asked of a run."""

    model: Pretrainer

    @property
    def done(self) -> bool:
        """Whether its budget is spent."""
        ...


class HeldOut:
    """Bits per byte of masked tokens on dev rows, and linear probes; every few reports.

    The first task is read in full, of the others a sample: probing takes time from training.
    """

    def __init__(
        self, data: Path, tokenizer: Tokenizer, tasks: Sequence[str] = PROBES, every: int = 10
    ) -> None:
        self.every, self.calls, self.tokenizer = every, 0, tokenizer
        self.tasks: dict[str, tuple[str, list[Example], list[Example]]] = {}
        for task in tasks:
            train, dev = (corpus.split(data, task, name) for name in ("train", "dev"))
            many, few = (5000, len(dev)) if task == tasks[0] else (1000, 500)
            train, dev = (
                rows[:: max(len(rows) // n, 1)] for rows, n in ((train, many), (dev, few))
            )
            self.tasks[task] = (corpus.field_of(data, task), train, dev)
        field, _, dev = self.tasks[tasks[0]]
        names = [normalize(e.text, field) for e in dev]
        self.rows = [even(row) for row in tokenizer.encode_batch(names, field)]

    def __call__(self, run: Progress) -> dict[str, float]:
        """``bits_per_byte`` and each probe's accuracy on every n-th call and at the end."""
        self.calls += 1
        if self.calls % self.every and not run.done:
            return {}
        run.model.eval()
        with torch.inference_mode():
            found = {"bits_per_byte": self._bits_per_byte(run)}
            for task, (kind, train, dev) in self.tasks.items():
                found[task] = linear_probe(run.model.encoder, self.tokenizer, train, dev, kind)
        run.model.train()
        return {name: round(value, 4) for name, value in found.items()}

    def _bits_per_byte(self, run: Progress) -> float:
        generator = np.random.default_rng(0)
        nats = count = 0.0
        for length in sorted({len(r) for r in self.rows}):
            ids = np.array([r for r in self.rows if len(r) == length])
            hide = generator.random(ids.shape) < 0.3
            hide[:, 0] = False
            flat = np.flatnonzero(hide)
            if not len(flat):
                continue
            masked = torch.from_numpy(np.where(hide, self.tokenizer.mask_id, ids))
            hidden = run.model.encoder(masked).flatten(0, 1)[torch.from_numpy(flat)]
            targets = ids.ravel()[flat]
            nats += run.model.token_loss(hidden, torch.from_numpy(targets)).item() * len(flat)
            count += sum(len(self.tokenizer.piece(int(t))) for t in targets)
        return nats / count / math.log(2)
