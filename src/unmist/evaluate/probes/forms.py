"""What a vector should not notice, and what it should: pairs of a text and a changed one."""

import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate.probes import bootstrap
from unmist.evaluate.probes.rows import shuffled, task_names
from unmist.evaluate.probes.rules import RULES, Kind, Rule
from unmist.train import corpus

MAX_CHARACTERS: Final = 400  # in longer texts no vector could show one character
_AUC_RESAMPLES: Final = 300


@dataclass(frozen=True)
class Pairs:
    """The pairs of one rule."""

    rule: Rule
    before: list[str]
    after: list[str]


def pairs(data: Path, limit: int, seed: int = 1) -> list[Pairs]:
    """At most ``limit`` pairs of every rule, from dev and test rows of the tasks.

    A rule for which fewer texts are found than its limit has fewer pairs; the report says how many.
    """
    texts = _texts(data, seed)
    out = []
    for rule in RULES:
        # A seed of its own for each rule, so that a new rule leaves the others' pairs as they are.
        generator = random.Random(f"{seed} {rule.field} {rule.name} {rule.kind}")
        before, after = [], []
        for text in rule.carriers or texts.get(rule.field, []):
            changed = rule.change(text, generator)
            if changed is not None and changed != text:
                before.append(text)
                after.append(changed)
            if len(before) == limit:
                break
        if before:
            out.append(Pairs(rule, before, after))
    return out


def _texts(data: Path, seed: int) -> dict[str, list[str]]:
    """Distinct short texts of each field in a random order."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for task in task_names(data):
        field = corpus.field_of(data, task)
        for split in ("dev", "test"):
            for row in shuffled(corpus.split(data, task, split), seed):
                if len(row.text) <= MAX_CHARACTERS:
                    found[field][row.text] = None
    out = {}
    for field, texts in found.items():
        out[field] = list(texts)
        random.Random(seed).shuffle(out[field])
    return out


def measure(
    every: Sequence[Pairs], vectors_of: Callable[[Sequence[str], str], np.ndarray]
) -> dict[str, Any]:
    """Invariance and discrimination of one encoder.

    Args:
        every: from :func:`pairs`.
        vectors_of: L2-normalised vectors of texts of a field.

    Returns:
        ``invariance``: the median cosine of equivalent forms, per rule and over all; beside it
        ``unrelated``, the median cosine of different texts, and ``found``, the share of changed
        forms whose nearest text is the unchanged one. ``discrimination``: the probability (AUC)
        that a change that matters moves the vector further than one that does not, per field and
        as the mean over fields.
    """
    cosine, found, unrelated = [], [], []
    for pair in every:
        field = pair.rule.field
        before, after = vectors_of(pair.before, field), vectors_of(pair.after, field)
        similarity = after @ before.T
        own = similarity.diagonal().copy()
        cosine.append(own)
        others = ~np.eye(len(own), dtype=bool)
        unrelated.append(similarity[others])
        np.fill_diagonal(similarity, -np.inf)
        # The same text may stand twice among those of a well-known list; that is no other text.
        found.append(own >= similarity.max(1) - 1e-6 if len(own) > 1 else np.ones(1, bool))
    return {
        "invariance": _invariance(every, cosine, found, unrelated),
        "discrimination": _discrimination(every, cosine),
    }


def _invariance(
    every: Sequence[Pairs],
    cosine: list[np.ndarray],
    found: list[np.ndarray],
    unrelated: list[np.ndarray],
) -> dict[str, Any]:
    chosen = [i for i, pair in enumerate(every) if pair.rule.kind == "same"]
    if not chosen:
        return {"median_cosine": None, "rules": []}
    joined = np.concatenate([cosine[i] for i in chosen])
    resampled = np.random.default_rng(1).choice(joined, (bootstrap.RESAMPLES, len(joined)))
    return {
        "median_cosine": _rounded(np.median(joined)),
        "interval": bootstrap.interval(np.median(resampled, axis=1)),
        "unrelated": _rounded(np.median(np.concatenate([unrelated[i] for i in chosen]))),
        "found": _rounded(np.mean(np.concatenate([found[i] for i in chosen]))),
        "rules": [
            _rule(every[i])
            | {"median_cosine": _rounded(np.median(cosine[i])), "found": _rounded(found[i].mean())}
            for i in chosen
        ],
    }


def _discrimination(every: Sequence[Pairs], cosine: list[np.ndarray]) -> dict[str, Any]:
    moved: defaultdict[tuple[str, Kind], list[np.ndarray]] = defaultdict(list)
    for pair, values in zip(every, cosine, strict=True):
        moved[pair.rule.field, pair.rule.kind].append(1 - values)
    fields, resampled = {}, []
    for field in dict.fromkeys(pair.rule.field for pair in every):
        matters, harmless = moved[field, "matters"], moved[field, "harmless"]
        if matters and harmless:
            a, b = np.concatenate(matters), np.concatenate(harmless)
            draws = _auc_resamples(a, b)
            resampled.append(draws)
            fields[field] = {
                "auc": _rounded(auc(a, b)),
                "interval": bootstrap.interval(draws),
                "matters": len(a),
                "harmless": len(b),
            }
    if not fields:
        return {"auc": None, "fields": {}, "rules": []}
    return {
        "auc": _rounded(np.mean([field["auc"] for field in fields.values()])),
        "interval": bootstrap.interval(np.mean(resampled, axis=0)),
        "fields": fields,
        "rules": [
            _rule(pair) | {"kind": pair.rule.kind, "median_cosine": _rounded(np.median(values))}
            for pair, values in zip(every, cosine, strict=True)
            if pair.rule.kind != "same"
        ],
    }


def auc(larger: np.ndarray, smaller: np.ndarray) -> float:
    """Probability that one of ``larger`` is above one of ``smaller``, ties counted half."""
    ordered = np.sort(smaller)
    below = np.searchsorted(ordered, larger, "left") + np.searchsorted(ordered, larger, "right")
    return float(below.mean() / 2 / len(smaller))


def _auc_resamples(larger: np.ndarray, smaller: np.ndarray) -> np.ndarray:
    generator = np.random.default_rng(1)
    return np.array(
        [
            auc(generator.choice(larger, len(larger)), generator.choice(smaller, len(smaller)))
            for _ in range(_AUC_RESAMPLES)
        ]
    )


def _rule(pair: Pairs) -> dict[str, Any]:
    return {
        "field": pair.rule.field,
        "rule": pair.rule.name,
        "pairs": len(pair.before),
        "example": [pair.before[0][:80], pair.after[0][:80]],
    }


def _rounded(value: Any) -> float:
    return round(float(value), 4)
