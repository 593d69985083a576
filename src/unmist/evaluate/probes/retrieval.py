"""Hosts of one owner: is the nearest other host of a name one of the same owner?

Owners are those of ``pretrain/hostname/pairs`` whose split is ``test``; none of their pairs is
trained on. Hosts of one registrable domain look alike, so a second figure leaves the hosts of the
query's own domain out: then the owner must be known by more than spelling.
"""

import csv
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.errors import InputError
from unmist.evaluate.probes import bootstrap
from unmist.labelled.data import open_text
from unmist.train.holdout import kin

HOSTS_OF_ONE_OWNER: Final = 20  # at most; a few owners have thousands
_BLOCK: Final = 512


@dataclass(frozen=True)
class Hosts:
    """Names with numbers of their owner and of their registrable domain: int [n] each."""

    names: list[str]
    owner: np.ndarray
    domain: np.ndarray


def hosts(data: Path, limit: int, seed: int = 1) -> Hosts:
    """At most ``limit`` hosts of held-out owners with two hosts or more, whole owners at a time.

    Raises:
        InputError: there are no pair files, or they cannot be read.
    """
    files = sorted((data / "pretrain" / "hostname" / "pairs").glob("*.tsv.zst"))
    if not files:
        raise InputError(
            "no pretrain/hostname/pairs/*.tsv.zst here; give the data folder", str(data)
        )
    owned: dict[tuple[str, str], set[str]] = defaultdict(set)
    for path in files:
        with open_text(path) as stream:
            for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row.get("split") == "test":
                    owned[path.name, row["owner"]].add(row["host"])
    generator = random.Random(seed)
    groups = [sorted(group) for _, group in sorted(owned.items())]
    generator.shuffle(groups)
    names: list[str] = []
    owner: list[int] = []
    seen: set[str] = set()
    for number, group in enumerate(groups):
        fresh = [name for name in group if name not in seen]
        if len(fresh) > HOSTS_OF_ONE_OWNER:
            fresh = generator.sample(fresh, HOSTS_OF_ONE_OWNER)
        if len(fresh) < 2 or len(names) + len(fresh) > limit:
            continue
        seen.update(fresh)
        names += fresh
        owner += [number] * len(fresh)
    if not names:
        raise InputError("no held-out owner with two hosts within the limit", str(data))
    domains = kin(names, "hostname")
    number_of = {domain: i for i, domain in enumerate(dict.fromkeys(domains))}
    return Hosts(names, np.array(owner), np.array([number_of[d] for d in domains]))


def measure(chosen: Hosts, vectors: np.ndarray) -> dict[str, Any]:
    """Mean reciprocal rank of the first other host of the owner, among all hosts.

    Args:
        chosen: the hosts.
        vectors: their L2-normalised vectors [n, dim], dense or a scipy sparse matrix.
    """
    every = _reciprocal_ranks(chosen, vectors, other_domains=False)
    other = _reciprocal_ranks(chosen, vectors, other_domains=True)
    return {
        "mrr": _summary(every, chosen.owner),
        "mrr_other_domains": _summary(other, chosen.owner),
    }


def ngram_vectors(names: list[str]) -> Any:
    """The floor: TF-IDF of character 1- to 5-grams, L2-normalised, sparse [n, columns]."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 5), sublinear_tf=True)
    return vectorizer.fit_transform(names)


def _reciprocal_ranks(chosen: Hosts, vectors: Any, *, other_domains: bool) -> np.ndarray:
    """1 / rank for each host, ties counted against it; nan where there is nothing to find."""
    out = np.full(len(chosen.names), np.nan)
    for start in range(0, len(out), _BLOCK):
        rows = np.arange(start, min(start + _BLOCK, len(out)))
        product = vectors[rows] @ vectors.T
        similarity = np.asarray(product if isinstance(product, np.ndarray) else product.toarray())
        similarity = similarity.astype(np.float32)
        left_out = np.arange(len(out)) == rows[:, None]
        if other_domains:
            left_out |= chosen.domain == chosen.domain[rows][:, None]
        same = (chosen.owner == chosen.owner[rows][:, None]) & ~left_out
        similarity[left_out] = -np.inf
        best = np.where(same, similarity, -np.inf).max(1, keepdims=True)
        above = ((similarity >= best) & ~same).sum(1)
        found = same.any(1)
        out[rows[found]] = 1 / (1 + above[found])
    return out


def _summary(reciprocal: np.ndarray, owner: np.ndarray) -> dict[str, Any]:
    """Mean over hosts, with an interval by resampling owners."""
    asked = ~np.isnan(reciprocal)
    if not asked.any():
        return {"value": None, "hosts": 0}
    _, group = np.unique(owner[asked], return_inverse=True)
    sums, sizes = np.bincount(group, reciprocal[asked]), np.bincount(group)
    resampled = bootstrap.weighted_means(bootstrap.weights(len(sums)), sums, sizes)
    return {
        "value": round(float(reciprocal[asked].mean()), 4),
        "interval": bootstrap.interval(resampled),
        "hosts": int(asked.sum()),
    }
