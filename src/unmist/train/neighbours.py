"""Hosts on another registrable domain that are spelt alike.

Names of one owner are found across domains by what they have in common to the eye, which character
n-grams see and a vector of pieces may not: ``googleapis`` and ``google`` are other pieces. So a
host's nearest one by n-grams is a pair of its own kind for :mod:`unmist.train.pairs`.
"""

from typing import Any, Final

import numpy as np

from unmist.train.holdout import kin

_NGRAMS: Final = (2, 5)
_MOST_HOSTS: Final = 0.01  # of the hosts have an n-gram that still counts: "com" tells nothing
_FEW_HOSTS: Final = 50  # among which every n-gram counts
_NEAREST: Final = 2
_NEAR: Final = 0.3  # cosine; below, names have an ending in common and no more
_BLOCK: Final = 1_000


def neighbours(hosts: list[str]) -> list[tuple[str, list[str]]]:
    """Each host that has any, with up to two nearest ones on other registrable domains.

    Args:
        hosts: normalised names without repetitions.
    """
    if not hosts:
        return []
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        analyzer="char",
        ngram_range=_NGRAMS,
        max_df=max(int(_MOST_HOSTS * len(hosts)), _FEW_HOSTS),
        sublinear_tf=True,
        dtype=np.float32,
    )
    vectors = vectorizer.fit_transform(hosts)
    number: dict[str, int] = {}
    domain = np.array([number.setdefault(d, len(number)) for d in kin(hosts, "hostname")])
    found = []
    for start in range(0, len(hosts), _BLOCK):
        cosine = (vectors[start : start + _BLOCK] @ vectors.T).tocsr()
        for place in range(cosine.shape[0]):
            near = _nearest(cosine, place, domain, domain[start + place])
            if near:
                found.append((hosts[start + place], [hosts[i] for i in near]))
    return found


def _nearest(cosine: Any, place: int, domain: np.ndarray, own: int) -> list[int]:
    """Columns of a sparse row with the largest cosines, those of one domain left out."""
    span = slice(cosine.indptr[place], cosine.indptr[place + 1])
    columns, values = cosine.indices[span], cosine.data[span]
    kept = (domain[columns] != own) & (values >= _NEAR)
    columns, values = columns[kept], values[kept]
    return [int(i) for i in columns[np.argsort(-values, kind="stable")[:_NEAREST]]]
