"""Names for clusters: what their members have and the rest has not.

A member is a set of terms: its words, the tokenizer's pieces, its suffix and its shape. A term
speaks for a cluster when its log-odds against the rest stand out, with the informative Dirichlet
prior of Monroe, Colaresi and Quinn, Political Analysis 16 (2008); those that do are ordered by
their share of the divergence between the cluster and the whole, so that what most members have
comes before what is merely rare elsewhere.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from unmist.map.extra import need

TERMS: Final = 3
_LEAST_SHARE: Final = 0.1  # of the members that have the term
_LEAST_Z: Final = 3.0
_CLEAR: Final = 0.6  # of the members that get the label
_LIFT: Final = 2.0  # as often as in the whole; "benign" in a map of benign names says nothing
_WORD: Final = re.compile(r"[^\W\d_]{3,24}")
_COMMON: Final = frozenset({"www", "com", "net", "org", "http", "https"})


def terms(text: str, pieces: Iterable[bytes], field: str) -> set[str]:
    """The terms of one text.

    Args:
        text: the text.
        pieces: the tokenizer's pieces of it.
        field: field kind; a hostname has a suffix and a shape.
    """
    text = text.lower()
    found = {word for word in _WORD.findall(text) if len(word) <= 16}
    for piece in pieces:
        word = piece.decode("utf-8", "ignore").strip(".-_/:?&= ").lower()
        if len(word) >= 4 and word.isalpha():
            found.add(word)
    found -= _COMMON
    if field == "hostname":
        found |= _shape(text)
    return found


def _shape(host: str) -> set[str]:
    labels = host.rstrip(".").split(".")
    found = {"." + labels[-1]} if len(labels) > 1 else set()
    if len(labels) > 2 and len(labels[-1]) == 2 and len(labels[-2]) <= 3:
        found.add(f".{labels[-2]}.{labels[-1]}")
    body = "".join(labels[:-1])
    digits = sum(c.isdigit() for c in body)
    if digits >= 3:
        found.add("digits")
    if body and digits > 0.5 * len(body):
        found.add("mostly digits")
    if body.count("-") >= 2:
        found.add("hyphens")
    if len(labels) >= 5:
        found.add("deep names")
    if "xn--" in host:
        found.add("punycode")
    letters = [c for c in body if c.isalpha()]
    if len(letters) >= 8 and sum(c in "aeiouy" for c in letters) < 0.2 * len(letters):
        found.add("few vowels")
    return found


def name_clusters(
    members: Sequence[set[str]],
    clusters: np.ndarray,
    labels: Sequence[Sequence[str | None]] = (),
) -> list[str]:
    """One name a cluster: up to three terms, and the most telling label where one is clear.

    Args:
        members: terms of every point. [n]
        clusters: int [n], -1 for none.
        labels: for every specialist, its answer for each point, ``None`` for an abstention.
    """
    count = int(clusters.max(initial=-1)) + 1
    if not count:
        return []
    names = _distinctive(members, clusters, count)
    places = [np.flatnonzero(clusters == c) for c in range(count)]
    totals = [Counter(answers) for answers in labels]
    for c, inside in enumerate(places):
        clear: list[tuple[float, str]] = []
        for answers, total in zip(labels, totals, strict=True):
            label, votes = Counter(answers[i] for i in inside.tolist()).most_common(1)[0]
            if label is None or votes < _CLEAR * len(inside):
                continue
            lift = (votes / len(inside)) / (total[label] / len(members))
            if lift >= _LIFT:
                clear.append((lift, label))
        if clear:
            names[c].append(f"({max(clear)[1]})")
    return [" ".join(_joined(parts)) or f"cluster {c + 1}" for c, parts in enumerate(names)]


def _joined(parts: list[str]) -> list[str]:
    words = [p for p in parts if not p.startswith("(")]
    return [t for t in (" · ".join(words), *(p for p in parts if p.startswith("("))) if t]


def _distinctive(members: Sequence[set[str]], clusters: np.ndarray, count: int) -> list[list[str]]:
    frequency = Counter(term for own in members for term in own)
    vocabulary = sorted(t for t, seen in frequency.items() if seen >= 3)
    place = {term: i for i, term in enumerate(vocabulary)}
    sparse = need("scipy.sparse")
    inside = [(c, place[t]) for c, own in zip(clusters.tolist(), members, strict=True)
              if c >= 0 for t in own if t in place]  # fmt: skip
    shape = (count, len(vocabulary))
    if not inside:
        return [[] for _ in range(count)]
    rows, columns = np.array(inside).T
    counts = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)
    counts.sum_duplicates()
    everywhere = np.array([frequency[t] for t in vocabulary], float)
    sizes = np.bincount(clusters[clusters >= 0], minlength=count)
    return [
        _best(counts[[c]], vocabulary, everywhere, int(sizes[c]), len(members))
        for c in range(count)
    ]


def _best(
    row: Any, vocabulary: list[str], everywhere: np.ndarray, size: int, total: int
) -> list[str]:
    columns, seen = row.indices, row.data
    whole = everywhere[columns]
    outside = whole - seen
    prior = whole / total * 10  # worth ten members
    here = np.log((seen + prior) / np.maximum(size + 10 - seen - prior, 1e-9))
    there = np.log((outside + prior) / np.maximum(total - size + 10 - outside - prior, 1e-9))
    z = (here - there) / np.sqrt(1 / (seen + prior) + 1 / (outside + prior))
    share = seen / size
    gain = np.where(
        (z >= _LEAST_Z) & (share >= _LEAST_SHARE), share * np.log(share * total / whole), 0
    )
    chosen: list[str] = []
    for i in np.lexsort((columns, -gain)):
        term = vocabulary[columns[i]]
        if gain[i] <= 0 or len(chosen) == TERMS:
            break
        if not any(term in other or other in term for other in chosen):
            chosen.append(term)
    return chosen
