"""One recipe for all: a linear head on an encoder, trained whole or through LoRA, by examples.

Everybody sees the same rows equally often. A wall-clock cap keeps large models affordable: the
rate falls with whichever share is spent sooner, that of the examples or that of the time, so that a
fit that the cap ends has come to rest as well.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from unmist.evaluate.compare.bodies import Body
from unmist.evaluate.compare.rows import TaskData

_WARM_UP = 0.05
_PREDICT_TOKENS = 8192


@dataclass(frozen=True)
class Recipe:
    """What decides a fit, the seed aside.

    Attributes:
        epochs: how often every row is seen.
        batch_rows: rows of a step, all of one length; the last of a length are fewer.
        lr: of the encoder's own weights when it is trained whole.
        scratch_lr: the same where it starts from random weights.
        lora_lr: of LoRA factors.
        head_lr: of the head.
        rank: of LoRA, on every linear layer of the encoder; alpha is twice as much.
        minutes: a fit ends after so many, finished or not.
        bf16: products in bfloat16, sums and weights in float32.
    """

    epochs: int = 8
    batch_rows: int = 32
    lr: float = 1e-4
    scratch_lr: float = 1e-3
    lora_lr: float = 1e-3
    head_lr: float = 1e-3
    rank: int = 8
    minutes: float = 12.0
    bf16: bool = False


@dataclass(frozen=True)
class Course:
    """How a fit went: rows seen, seconds, whether the cap ended it, and how many weights moved."""

    examples: int
    seconds: float
    cut: bool
    trained: int


class Classifier(nn.Module):
    """An encoder with a linear head that starts at zero."""

    def __init__(self, body: Body, labels: int) -> None:
        super().__init__()
        self.body, self.head = body, nn.Linear(body.hidden, labels)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor) -> Tensor:
        """Logits [rows, labels] of ids [rows, length], no padding."""
        out: Tensor = self.head(self.body(ids).float())
        return out

    def adapt(self, rank: int) -> None:
        """Freeze the encoder and put LoRA on its linear layers."""
        config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=self.body.linear())
        inject_adapter_in_model(config, self.body)
        for name, weight in self.body.named_parameters():
            weight.requires_grad_("lora_" in name)


def fit(classifier: Classifier, data: TaskData, lr: float, recipe: Recipe, seed: int) -> Course:
    """Train on the rows of a task; ``lr`` is the peak rate of what is trainable in the encoder."""
    ids, targets = classifier.body.encode(_texts(data), data.field), data.numbers(data.train)
    body = [weight for weight in classifier.body.parameters() if weight.requires_grad]
    head = list(classifier.head.parameters())
    optimizer = torch.optim.AdamW(
        [{"params": body, "lr": lr}, {"params": head, "lr": recipe.head_lr}],
        weight_decay=0.01,
        fused=True,
    )
    peaks = [group["lr"] for group in optimizer.param_groups]
    every, seen, began, share = recipe.epochs * len(ids), 0, time.monotonic(), 0.0
    classifier.train()
    for chosen in _steps(ids, recipe, seed):
        share = (time.monotonic() - began) / (recipe.minutes * 60)
        if share >= 1:
            break
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * _rate(max(share, seen / every))
        with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
            logits = classifier(torch.tensor([ids[i] for i in chosen]))
        loss = F.cross_entropy(logits.float(), torch.from_numpy(targets[chosen]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*body, *head], 1.0)
        optimizer.step()
        seen += len(chosen)
    trained = sum(int(weight.numel()) for weight in (*body, *head))
    return Course(seen, round(time.monotonic() - began, 1), seen < every, trained)


@torch.inference_mode()
def predict(classifier: Classifier, texts: Sequence[str], field: str, bf16: bool) -> np.ndarray:
    """The label numbers int64 [n] that a classifier answers."""
    classifier.eval()
    ids = classifier.body.encode(texts, field)
    out = np.empty(len(ids), np.int64)
    lengths = np.array([len(row) for row in ids])
    for length in np.unique(lengths):
        members = np.flatnonzero(lengths == length)
        size = max(_PREDICT_TOKENS // max(int(length), 1), 1)
        for start in range(0, len(members), size):
            chosen = members[start : start + size]
            with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
                logits = classifier(torch.tensor([ids[i] for i in chosen]))
            out[chosen] = logits.float().argmax(1).numpy()
    return out


def _texts(data: TaskData) -> list[str]:
    return [row.text for row in data.train]


def _rate(progress: float) -> float:
    """Share of the peak rate: up over the first twentieth, then linearly down to zero."""
    return min(progress / _WARM_UP if progress else 0.01, 1.0) * max(1 - progress, 0.0)


def _steps(ids: Sequence[Sequence[int]], recipe: Recipe, seed: int) -> Iterator[np.ndarray]:
    """Places of the rows of each step, all epochs one after the other."""
    lengths = np.array([len(row) for row in ids])
    for epoch in range(recipe.epochs):
        generator = np.random.default_rng([seed, epoch])
        order = generator.permutation(len(lengths))
        steps = []
        for length in np.unique(lengths):
            members = order[lengths[order] == length]
            size = recipe.batch_rows
            steps += [members[i : i + size] for i in range(0, len(members), size)]
        for place in generator.permutation(len(steps)):
            yield steps[place]
