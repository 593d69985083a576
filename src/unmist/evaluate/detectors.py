"""Ours beside detectors that people install: what is found at one false alarm in a hundred.

For generated names by family, with false alarms on CDN and cloud names; for phishing names and
URLs.
"""

import csv
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate import bootstrap, rivals
from unmist.evaluate.compare import light
from unmist.evaluate.compare.rows import TaskData
from unmist.io import AtomicFile
from unmist.labelled.data import open_text
from unmist.model import Model
from unmist.train import reported

ALARMS: Final = 0.01
_ROUNDS: Final = 300
_REPORTED: Final = 5_000  # names of each list beside the task's own
KINDS: Final = {  # of families that no training row is of
    "word lists": ("gozi", "suppobox", "nymaim2"),
    "affixes": ("ngioweb",),
    "characters": ("gameover", "murofet", "simda", "tufik", "vawtrak"),
}
RARE: Final = "rare families"
SEEN: Final = "families of the training rows"
CLOUD: Final = "CDN and cloud names"
_HARMLESS: Final = ("benign", "popular")
Scorer = Callable[[Sequence[str]], np.ndarray]
"""Texts to float64 [n], higher is more suspicious; from .5 on it would say so."""


@dataclass(frozen=True)
class Asked:
    """Rows that are asked: ``harmless`` sets the threshold, of ``parts`` the share flagged is
    told. Each is (text, group)."""

    harmless: list[tuple[str, str]]
    parts: dict[str, list[tuple[str, str]]]


def dga_rows(data: Path, task: str = "host-dga") -> Asked:
    """Rows of the DGA task: families of the training rows, held-out families, the rare ones of
    them together, and cloud names, of which none should be flagged."""
    folder = data / "tasks" / task
    test, held = (_rows(folder / f"{name}.tsv.zst") for name in ("test", "heldout_family"))
    parts: dict[str, list[tuple[str, str]]] = {SEEN: []}
    parts |= {family: [] for families in KINDS.values() for family in families} | {RARE: []}
    for row in held:
        family = row["source"].rpartition(":")[2]  # list:family
        parts[family if family in parts else RARE].append((row["text"], row["group"]))
    for row in test:
        if row["label"] == "dga":
            parts[SEEN].append((row["text"], row["group"]))
    cloud = _rows(folder / "cdn_cloud.tsv.zst")
    parts[CLOUD] = [(row["text"], row["group"]) for row in cloud]
    harmless = [(row["text"], row["group"]) for row in test if row["label"] == "benign"]
    return Asked(harmless, {name: rows for name, rows in parts.items() if rows})


def phishing_rows(data: Path, task: str) -> Asked:
    """Phishing of a task's test rows, of its later rows where there are some, and of host names
    what other lists report and nothing has learnt as such; threshold by the harmless test rows."""
    folder = data / "tasks" / task
    test = _rows(folder / "test.tsv.zst")
    parts = {"phishing": [(r["text"], r["group"]) for r in test if r["label"] == "phishing"]}
    later = folder / "extra.tsv.zst"
    if later.exists():
        for label, name in (("phishing", "later phishing"), ("benign", "later harmless")):
            rows = [(r["text"], r["group"]) for r in _rows(later) if r["label"] == label]
            parts |= {name: rows} if rows else {}
    if task == reported.TASK:
        parts |= {f"of {name}": rows for name, rows in reported.kept(data, _REPORTED).items()}
    harmless = [(r["text"], r["group"]) for r in test if r["label"] in _HARMLESS]
    return Asked(harmless, parts)


def measure(asked: Asked, score: Scorer) -> dict[str, Any]:
    """What a detector flags.

    Returns:
        ``at_alarms``: shares flagged of each part at the threshold that flags one harmless row in
        a hundred, or None for a detector without scores; ``own``: the same at its own threshold,
        ``alarms`` of the harmless rows with it. Every share is a figure with an interval over
        groups.
    """
    harmless = score([text for text, _ in asked.harmless])
    parts = {name: score([text for text, _ in rows]) for name, rows in asked.parts.items()}
    scored = len(np.unique(harmless)) > 2
    limit = threshold(harmless)
    return {
        "at_alarms": _shares(asked, parts, lambda s: s > limit) if scored else None,
        "own": {
            "alarms": _share(asked.harmless, harmless >= 0.5),
            **_shares(asked, parts, lambda s: s >= 0.5),
        },
    }


def threshold(harmless: np.ndarray, alarms: float = ALARMS) -> float:
    """The lowest score above which at most this share of harmless rows lies."""
    return float(np.sort(harmless)[::-1][int(alarms * len(harmless))])


def ours(model: Model, task: str, positive: str) -> Scorer:
    """A specialist's calibrated probability of one label."""
    place = model.labels(task).index(positive)

    def score(texts: Sequence[str]) -> np.ndarray:
        return model.probabilities(list(texts), task)[:, place].astype(np.float64)

    return score


def ngrams(positive: str, learnt: TaskData) -> Scorer:
    """The n-gram model's, trained on all rows of the task when it is first asked."""
    fitted: list[light.Ngrams] = []

    def score(texts: Sequence[str]) -> np.ndarray:
        if not fitted:
            fitted.append(light.Ngrams(learnt.every, learnt.numbers(learnt.every), 1))
        column = fitted[0].labels.index(learnt.labels.index(positive))
        return fitted[0].probabilities(list(texts))[:, column]

    return score


def rival(name: str, pythons: Mapping[str, str]) -> Scorer:
    """Asks a rival."""
    return lambda texts: rivals.scores(name, texts, pythons)


def kept(score: Scorer, folder: Path, name: str) -> Scorer:
    """The same scorer, whose scores are kept in a folder under the texts' hash."""

    def scored(texts: Sequence[str]) -> np.ndarray:
        digest = hashlib.sha256(name.encode())
        for text in texts:
            digest.update(b"\0" + text.encode("utf-8", "surrogatepass"))
        path = folder / f"{digest.hexdigest()[:32]}.npy"
        if not path.exists():
            found = score(texts)
            folder.mkdir(parents=True, exist_ok=True)
            with AtomicFile(path) as file:
                np.save(file, found, allow_pickle=False)
        out: np.ndarray = np.load(path, allow_pickle=False)
        return out

    return scored


def _shares(
    asked: Asked, parts: Mapping[str, np.ndarray], flagged: Callable[[np.ndarray], np.ndarray]
) -> dict[str, bootstrap.Figure]:
    return {name: _share(asked.parts[name], flagged(scored)) for name, scored in parts.items()}


def _share(rows: Sequence[tuple[str, str]], flagged: np.ndarray) -> bootstrap.Figure:
    drawn = bootstrap.weights([group for _, group in rows], _ROUNDS)
    return bootstrap.figure(bootstrap.mean(drawn, flagged))


def _rows(path: Path) -> list[dict[str, str]]:
    with open_text(path) as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
