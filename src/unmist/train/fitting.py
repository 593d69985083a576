"""The loop that trains a specialist: a wall-clock budget, a falling rate, an early stop."""

import json
import sys
import time
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from unmist.engine.units import has_bf16
from unmist.train import calibration
from unmist.train.lower import Lower, worth_keeping
from unmist.train.specialist import Recipe, Rows, Specialist

Report = Callable[[float, Mapping[str, float] | None], object]
"""Told after every step the share of the budget that is spent, and after every epoch its entry."""


def print_json(_spent: float, entry: Mapping[str, float] | None) -> None:
    """Report every epoch as one line of JSON on standard error."""
    if entry is not None:
        print(json.dumps(entry), file=sys.stderr, flush=True)


def fit(
    specialist: Specialist,
    train: Rows,
    dev: Rows,
    recipe: Recipe,
    report: Report = print_json,
    beside: Mapping[str, np.ndarray] | None = None,
) -> list[dict[str, float]]:
    """Train within the budget, the rate falling to zero; returns a log entry per epoch.

    With patience the weights of the epoch with the lowest dev loss are kept.

    Args:
        specialist: is trained in place.
        train: rows to learn from.
        dev: rows that the log and the early stop look at.
        recipe: how to train.
        report: is told how far it is.
        beside: logits [n, labels] of ``train`` and ``dev`` that are added to the specialist's, so
            that it learns what they leave.
    """
    weights = [w for w in specialist.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.lr, weight_decay=0.01)
    began, epoch = time.monotonic(), 0
    lower, first = None, recipe.first_layer
    if worth_keeping(train, specialist.base, first):
        lower = Lower(specialist.base, train, first, recipe.bf16 and has_bf16())
    log: list[dict[str, float]] = []
    best = _Best(specialist) if recipe.patience else None
    specialist.train()
    offset = None if beside is None else torch.from_numpy(beside["train"])
    how = (lower, offset, optimizer, recipe, began)
    while losses := _epoch(specialist, train, *how, epoch, report):
        epoch += 1
        logits = specialist.logits(dev)
        if beside is not None:
            logits += beside["dev"]
        entry = {
            "epoch": epoch,
            "seconds": round(time.monotonic() - began, 1),
            "loss": round(float(np.mean(losses)), 4),
            "dev_loss": round(float(calibration.surprise(logits, dev.labels).mean()), 4),
            "dev_accuracy": round(float((logits.argmax(1) == dev.labels).mean()), 4),
        }
        log.append(entry)
        report(entry["seconds"] / (recipe.minutes * 60), entry)
        if best is not None and best.stale(entry["dev_loss"]) >= recipe.patience:
            break
    if best is not None:
        best.restore()
    return log


def _epoch(
    specialist: Specialist,
    train: Rows,
    lower: Lower | None,
    offset: torch.Tensor | None,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    began: float,
    epoch: int,
    report: Report,
) -> list[float]:
    """Losses of the steps of one epoch, as far as the budget goes; none when it is spent."""
    weights, targets = optimizer.param_groups[0]["params"], torch.from_numpy(train.labels)
    each = torch.from_numpy(train.weights(specialist.head.out_features, recipe))
    losses: list[float] = []
    bf16 = recipe.bf16 and has_bf16()
    generator = np.random.default_rng([recipe.seed, epoch])
    for chosen, ids in train.batches(recipe.batch_tokens, generator):
        progress = (time.monotonic() - began) / (recipe.minutes * 60)
        if progress >= 1:
            break
        warm = min(1.0, progress / 0.03)
        optimizer.param_groups[0]["lr"] = recipe.lr * warm * (1 - progress)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            if lower is None:
                answers = specialist(ids)
            else:
                answers = specialist.above(lower(chosen, ids.shape[1]), recipe.first_layer)
        rows = torch.from_numpy(chosen)
        logits = answers.float() if offset is None else answers.float() + offset[rows]
        apart = F.cross_entropy(
            logits, targets[rows], label_smoothing=recipe.smoothing, reduction="none"
        )
        loss = (apart * each[rows]).sum() / each[rows].sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(loss.item())
        report(progress, None)
    return losses


class _Best:
    """The trained weights of the best epoch so far."""

    def __init__(self, specialist: Specialist) -> None:
        self._weights = [w for w in specialist.parameters() if w.requires_grad]
        self._loss, self._stale = float("inf"), 0
        self._kept = [w.detach().clone() for w in self._weights]

    def stale(self, loss: float) -> int:
        """Epochs since the loss was last lowered, this one counted."""
        if loss < self._loss:
            self._loss, self._stale = loss, 0
            self._kept = [w.detach().clone() for w in self._weights]
        else:
            self._stale += 1
        return self._stale

    def restore(self) -> None:
        for weight, kept in zip(self._weights, self._kept, strict=True):
            weight.data.copy_(kept)
