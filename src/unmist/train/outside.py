"""Rows that bear none of a task's labels, so that its specialist can tell them from those that do.

A softmax has to give every text one of its labels. Most of what a specialist is asked in use bears
none of them: a shop's name is no news and no bank. Such rows are learnt as one class more, which is
never answered; a text that is likely of it is ``unfamiliar``.

Popular names do bear a label now and then: a bank is visited, too. Those that an n-gram classifier
gives a label to, although it has learnt other popular names as bearing none, are left out.

Sources: Hendrycks et al., "Deep Anomaly Detection with Outlier Exposure", arXiv 1812.04606; as a
class of its own: Zhang and LeCun, "Universum Prescription", arXiv 1511.03719; leaving out:
Northcutt et al., "Confident Learning", arXiv 1911.00068.
"""

import random
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from unmist.errors import UsageError
from unmist.labelled.ngram import NgramClassifier
from unmist.train import corpus, popular, written
from unmist.train.corpus import OUTSIDE, Example, withheld
from unmist.train.holdout import kin, side

SPLITS: Final = ("train", "dev", "test")
_POPULAR: Final = "popular"
_SURE: Final = 0.6  # of one of the task's labels, from which on a popular name is left out
_FOLDS: Final = 2
_OF_A_DOMAIN: Final = 3
# By task, where its rows are from: popular names that the task does not have, or the rows of a task
# that bear some of its labels.
_FROM: Final[Mapping[str, tuple[tuple[str, frozenset[str]], ...]]] = {
    "host-category": (
        (_POPULAR, frozenset()),
        ("host-category-12", frozenset({"games", "shopping"})),
    ),
    "host-malware-family": ((_POPULAR, frozenset()),),
    "host-dga-family": (("host-dga", frozenset({"benign"})),),
}
ABOUT: Final = {
    "host-category": "names that bear none of the labels: popular ones of no list, shops and games "
    "of host-category-12",
    "host-malware-family": "names that bear none of the labels: popular ones",
    "host-dga-family": "names that bear none of the labels: benign ones of host-dga",
}


def rows(
    data: Path, task: str, seed: int, most: int = 40_000, beside: Sequence[Example] = ()
) -> dict[str, list[Example]]:
    """Rows of each split that bear none of the task's labels; their own label is
    :data:`unmist.train.corpus.OUTSIDE`.

    Args:
        data: the data folder.
        task: the task.
        seed: which rows are drawn.
        most: rows of the training split, at most; a tenth of that in each of the others. The same
            number from each place that they are from.
        beside: rows that are learnt beside the task's; their groups bear labels or do not as they
            say, and what the task's own say otherwise is not heard.

    Raises:
        UsageError: no such rows are known for this task.
    """
    if task not in _FROM:
        raise UsageError(f"{task}: no rows outside of its labels are known; leave out --outside")
    chance = random.Random(f"outside {seed}")
    found: dict[str, list[Example]] = {name: [] for name in SPLITS}
    known = {name: corpus.split(data, task, name) for name in SPLITS}
    of_task = {row.group for part in known.values() for row in part}
    of_task.update(kin(list({row.text for row in beside}), corpus.field_of(data, task)))
    learnt = written.corrected(known["train"], beside)
    learnt += [row for row in beside if row.label != OUTSIDE]
    for place, labels in _FROM[task]:
        share = most // len(_FROM[task])
        if place == _POPULAR:
            every = _popular(data, of_task, 3 * share, chance)
            every = without_members(every, learnt)
            drawn = {name: [row for row in every if side(row.group) == name] for name in SPLITS}
        else:
            drawn = {name: _labelled(data, place, labels, name, of_task) for name in SPLITS}
        for name, some in drawn.items():
            count = share if name == "train" else share // 10
            found[name] += chance.sample(some, min(count, len(some)))
    return found


def without_members(apart: Sequence[Example], known: Sequence[Example]) -> list[Example]:
    """The rows ``apart`` without those that seem to bear a label of ``known``.

    Each is judged by a character n-gram classifier that has learnt ``known`` and the rows apart of
    other groups.
    """
    folds = np.array([zlib.crc32(row.group.encode()) % _FOLDS for row in apart])
    kept = np.ones(len(apart), bool)
    for fold in range(_FOLDS):
        mine = np.flatnonzero(folds == fold)
        learnt = [*known, *(row for row, other in zip(apart, folds, strict=True) if other != fold)]
        if not len(mine):
            continue
        judge = NgramClassifier([row.text for row in learnt], [row.label for row in learnt])
        odds = judge.probabilities([apart[i].text for i in mine.tolist()])
        inside = [place for place, label in enumerate(judge.labels) if label != OUTSIDE]
        kept[mine] = odds[:, inside].max(1) < _SURE
    return [row for row, keep in zip(apart, kept, strict=True) if keep]


def _popular(data: Path, of_task: set[str], count: int, chance: random.Random) -> list[Example]:
    """Popular names of registrable domains that the task does not have, a few of each."""
    found = popular.names(data, withheld(data, "hostname"), of_task, count, chance)
    few = popular.few_of_each(found, _OF_A_DOMAIN)
    return [Example(name, OUTSIDE, domain, _POPULAR) for name, domain in few]


def _labelled(
    data: Path, task: str, labels: frozenset[str], split: str, of_task: set[str]
) -> list[Example]:
    """Rows of one split of another task that bear one of these labels."""
    return [
        Example(row.text, OUTSIDE, row.group, f"{task} {row.label}")
        for row in corpus.split(data, task, split)
        if row.label in labels and row.group not in of_task
    ]
