"""The probe suite: what frozen vectors know, the same rows for every model."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate import bootstrap as by_draw
from unmist.evaluate.probes import bootstrap, classifiers, forms, retrieval
from unmist.evaluate.probes.country import country_rows
from unmist.evaluate.probes.encoders import Cached
from unmist.evaluate.probes.rows import SPLITS, Limits, TaskRows, task_names, task_rows
from unmist.labelled import metrics

FLOOR: Final = "n-grams"
Say = Callable[[str], object]


def run(
    data: Path, encoders: Sequence[Cached], limits: Limits, seed: int = 1, say: Say = print
) -> dict[str, Any]:
    """Every probe for every encoder.

    Args:
        data: the data folder, with ``tasks/`` and ``pretrain/hostname/pairs/``.
        encoders: the models; the first is compared with each of the others.
        limits: rows of each part.
        seed: which rows.
        say: called with one line after each step.

    Raises:
        InputError: a part of the data is missing.
    """
    result: dict[str, Any] = {
        "rows": asdict(limits) | {"seed": seed},
        "models": {e.name: {"hash": e.hash, "parameters": e.parameters} for e in encoders},
        "tasks": {},
    }
    draws: dict[str, dict[str, list[np.ndarray]]] = {}
    for name in task_names(data):
        rows = task_rows(data, name, limits, seed)
        result["tasks"][name] = _task(rows, encoders, draws)
        say(f"{name}: {_short(result['tasks'][name])}")
    result["mean"] = {probe: _mean(result["tasks"], probe, draws[probe]) for probe in draws}
    result["difference"] = _differences(draws.get("linear", {}), encoders)
    result["country"] = _task(country_rows(data, limits, seed), encoders, {})
    say(f"country: {_short(result['country'])}")
    hosts = retrieval.hosts(data, limits.retrieval, seed)
    result["retrieval"] = {
        e.name: retrieval.measure(hosts, e.vectors(hosts.names, "hostname")) for e in encoders
    } | {FLOOR: retrieval.measure(hosts, retrieval.ngram_vectors(hosts.names))}
    say("owner retrieval: done")
    pairs = forms.pairs(data, limits.forms, seed)
    result["forms"] = {e.name: forms.measure(pairs, e.vectors) for e in encoders}
    say("invariance and discrimination: done")
    return result


def _task(
    rows: TaskRows,
    encoders: Sequence[Cached],
    draws: dict[str, dict[str, list[np.ndarray]]],
) -> dict[str, Any]:
    """Both probes of one task for every encoder, and the floor; resamples go to ``draws``."""
    labels = classifiers.Labelled.of(rows.splits)
    weight = bootstrap.weights(len(labels.test))
    answers: dict[str, dict[str, classifiers.Answer]] = {"linear": {}, "nearest": {}}
    for encoder in encoders:
        vectors = [encoder.vectors([r.text for r in rows.splits[s]], rows.field) for s in SPLITS]
        answers["linear"][encoder.name] = classifiers.linear(labels, *vectors)
        answers["nearest"][encoder.name] = classifiers.nearest(labels, *vectors)
    answers["linear"][FLOOR] = classifiers.ngrams(labels, rows.splits)
    out: dict[str, Any] = {
        "field": rows.field,
        "labels": len(labels.names),
        "rows": {split: len(rows.splits[split]) for split in SPLITS},
    }
    for probe, of_models in answers.items():
        out[probe] = {}
        for model, answer in of_models.items():
            resampled = by_draw.macro_f1(weight, labels.test, answer.predicted, len(labels.names))
            draws.setdefault(probe, {}).setdefault(model, []).append(resampled)
            out[probe][model] = _scores(labels, answer, weight, resampled)
    return out


def _scores(
    labels: classifiers.Labelled,
    answer: classifiers.Answer,
    weight: np.ndarray,
    resampled: np.ndarray,
) -> dict[str, Any]:
    accuracies = by_draw.mean(weight, labels.test == answer.predicted)
    return {
        "macro_f1": round(metrics.macro_f1(labels.test, answer.predicted, len(labels.names)), 4),
        "macro_f1_interval": bootstrap.interval(resampled),
        "accuracy": round(float((labels.test == answer.predicted).mean()), 4),
        "accuracy_interval": bootstrap.interval(accuracies),
        "setting": answer.setting,
    }


def _mean(tasks: dict[str, Any], probe: str, draws: dict[str, list[np.ndarray]]) -> dict[str, Any]:
    """Mean over tasks, each weighing the same."""
    return {
        model: {
            "macro_f1": _average(tasks, probe, model, "macro_f1"),
            "macro_f1_interval": bootstrap.interval(np.mean(resampled, axis=0)),
            "accuracy": _average(tasks, probe, model, "accuracy"),
        }
        for model, resampled in draws.items()
    }


def _average(tasks: dict[str, Any], probe: str, model: str, measure: str) -> float:
    return round(float(np.mean([task[probe][model][measure] for task in tasks.values()])), 4)


def _differences(draws: dict[str, list[np.ndarray]], encoders: Sequence[Cached]) -> dict[str, Any]:
    """The first model's mean macro-F1 of the linear probe less each other's, on the same
    resamples."""
    first = np.mean(draws[encoders[0].name], axis=0)
    return {
        other: bootstrap.interval(first - np.mean(resampled, axis=0))
        for other, resampled in draws.items()
        if other != encoders[0].name
    }


def _short(task: dict[str, Any]) -> str:
    return ", ".join(
        f"{model} {scores['macro_f1']:.3f}" for model, scores in task["linear"].items()
    )
