"""What other spellings of the same rows do to a specialist.

Rows of the test split are asked as they stand and once more under every view of their field kind
(:mod:`unmist.text.views`). What is lost is counted on the rows to which the view applies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate import bootstrap
from unmist.evaluate.sampling import sample
from unmist.labelled.data import Example
from unmist.model import Model
from unmist.text.views import View, vary, views

_Flips = tuple[np.ndarray, np.ndarray]
"""Places of rows that were flipped, and whether unmist abstains on each."""

ROWS: Final = 2000
_BATCH: Final = 512


@dataclass(frozen=True)
class _Said:
    """What a specialist said of n rows.

    Attributes:
        predicted: int64 [n], number of the label that the network named; -2 where it named none.
        answered: bool [n], whether unmist stood by it.
    """

    predicted: np.ndarray
    answered: np.ndarray


def measure(
    model: Model,
    task: str,
    path: Path,
    rows: int = ROWS,
    seed: int = 1,
    progress: Callable[[int], object] = lambda done: None,
) -> dict[str, Any]:
    """One task under every view of its field kind.

    Args:
        model: an open model.
        task: one of its specialists.
        path: labelled rows: text, label and, where rows belong together, group.
        rows: at most this many are drawn.
        seed: decides which, and every change of theirs.
        progress: called with the number of rows that were asked since the last call.

    Returns:
        ``clean``: ``accuracy`` and ``macro_f1`` of the label that the network names, ``abstain``,
        the share that unmist does not stand by. ``views``: by name, the same under the view, with
        ``rows``, those that it applies to; ``accuracy_lost`` and ``macro_f1_lost`` against the
        same rows as they stand; ``flipped``, how many were right and became wrong, and
        ``flipped_abstain``, the share of those that unmist abstains on; ``learnt``, whether
        specialists may have learnt from the view. ``evasions``: the flips of all evasions together,
        and ``unlearnt`` those of the evasions that none has learnt from. Every figure has
        ``value``, ``low`` and ``high``, a 95 % interval over groups.

    Raises:
        InputError: the file cannot be read or has no rows.
        UsageError: the model has no such task.
    """
    card = model.card(task)
    chosen = sample(path, rows, seed)
    actual = np.array([_number(card.labels, row.label) for row in chosen])
    drawn = bootstrap.weights([row.group for row in chosen], seed=seed)
    clean = _ask(model, task, [row.text for row in chosen])
    progress(len(chosen))
    scores: dict[str, Any] = {}
    flips: dict[bool, list[_Flips]] = {True: [], False: []}
    for view in views(card.field):
        place, texts = _made(view, chosen, seed)
        if not texts:
            continue
        said = _ask(model, task, texts)
        progress(len(texts))
        before = _Said(clean.predicted[place], clean.answered[place])
        scores[view.name], flipped = _compare(
            drawn[:, place], actual[place], before, said, len(card.labels)
        )
        kind = {"evasion": view.evasion, "learnt": view.learnt, "rows": len(texts)}
        scores[view.name] = kind | scores[view.name]
        if view.evasion:
            flips[view.learnt].append((place[flipped], ~said.answered[flipped]))
    return {
        "task": task,
        "field": card.field,
        "data": "/".join(path.parts[-2:]),
        "model": model.hash,
        "rows": len(chosen),
        "groups": len({row.group for row in chosen}),
        "seed": seed,
        "clean": _scores(drawn, actual, clean, len(card.labels)),
        "views": scores,
        "evasions": _together(drawn, flips[True] + flips[False]),
        "unlearnt": _together(drawn, flips[False]),
    }


def _number(labels: Sequence[str], label: str | None, unknown: int = -1) -> int:
    return labels.index(label) if label in labels else unknown


def _made(view: View, rows: Sequence[Example], seed: int) -> tuple[np.ndarray, list[str]]:
    """The places of the rows that a view applies to, and what it makes of them."""
    made = [(i, vary(view, row.text, seed)) for i, row in enumerate(rows)]
    there = [(i, text) for i, text in made if text is not None]
    return np.array([i for i, _ in there], np.int64), [text for _, text in there]


def _ask(model: Model, task: str, texts: list[str]) -> _Said:
    labels = model.labels(task)
    verdicts = list(model.stream(texts, task, _BATCH))
    return _Said(
        np.array([_number(labels, verdict.model_label, -2) for verdict in verdicts]),
        np.array([verdict.status == "ok" for verdict in verdicts]),
    )


def _scores(drawn: np.ndarray, actual: np.ndarray, said: _Said, labels: int) -> dict[str, Any]:
    right = said.predicted == actual
    return {
        "accuracy": bootstrap.figure(bootstrap.mean(drawn, right)),
        "macro_f1": bootstrap.figure(bootstrap.macro_f1(drawn, actual, said.predicted, labels)),
        "abstain": bootstrap.figure(bootstrap.mean(drawn, ~said.answered)),
    }


def _compare(
    drawn: np.ndarray, actual: np.ndarray, before: _Said, after: _Said, labels: int
) -> tuple[dict[str, Any], np.ndarray]:
    """A view's figures, and which rows [n] it flipped."""
    was, now = before.predicted == actual, after.predicted == actual
    flipped = was & ~now
    f1_lost = bootstrap.macro_f1(drawn, actual, before.predicted, labels) - bootstrap.macro_f1(
        drawn, actual, after.predicted, labels
    )
    scores = _scores(drawn, actual, after, labels) | {
        "abstain_before": bootstrap.figure(bootstrap.mean(drawn, ~before.answered)),
        "accuracy_lost": bootstrap.figure(
            bootstrap.mean(drawn, was.astype(np.int64) - now.astype(np.int64))
        ),
        "macro_f1_lost": bootstrap.figure(f1_lost),
        "flipped": int(flipped.sum()),
        "flipped_abstain": bootstrap.figure(bootstrap.mean(drawn, ~after.answered, flipped)),
    }
    return scores, flipped


def _together(drawn: np.ndarray, flips: list[_Flips]) -> dict[str, Any]:
    """Flips of some evasions: how many, and the share that ends as abstain."""
    if not flips:
        return {"flipped": 0, "flipped_abstain": bootstrap.figure(np.array([np.nan]))}
    place = np.concatenate([rows for rows, _ in flips])
    abstained = np.concatenate([said for _, said in flips])
    share = bootstrap.figure(bootstrap.mean(drawn[:, place], abstained))
    return {"flipped": len(place), "flipped_abstain": share}
