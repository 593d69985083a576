"""How true a map is to its vectors, in three numbers.

Sources: trustworthiness, Venna and Kaski, ICANN 2001, as ``sklearn.manifold.trustworthiness`` has
it; neighbour preservation and random-triplet accuracy, Wang et al., JMLR 22 (2021).
"""

from typing import Final

import numpy as np

from unmist.map import layout
from unmist.map.extra import need

NEIGHBOURS: Final = 15
ANCHORS: Final = 2000
TRIPLETS: Final = 100_000
_BLOCK: Final = 128


def measure(vectors: np.ndarray, xy: np.ndarray, *, seed: int) -> dict[str, float]:
    """Trustworthiness, neighbour preservation and triplet accuracy of a map.

    Anchors are at most :data:`ANCHORS` points drawn with ``seed``; each is compared with all
    others, so the figures estimate those of the whole map and equal them up to that many points.

    Args:
        vectors: float32 [n, d], the vectors as the model gave them.
        xy: float [n, 2].
        seed: of anchors and triplets.

    Returns:
        ``trustworthiness`` in [0, 1]; ``knn_preservation``, the share of a point's nearest
        neighbours that are so on the map; ``triplet_accuracy``, how often of two points the
        nearer one is nearer on the map, .5 by chance; ``k``; ``anchors``.
    """
    n = len(vectors)
    k = min(NEIGHBOURS, (n - 1) // 2)
    random = np.random.default_rng(seed)
    anchors = np.arange(n) if n <= ANCHORS else np.sort(random.choice(n, ANCHORS, replace=False))
    tree = need("scipy.spatial").cKDTree(xy)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    penalty = kept = 0.0
    for start in range(0, len(anchors), _BLOCK):
        block = anchors[start : start + _BLOCK]
        apart = squares - 2 * (vectors[block] @ vectors.T)
        apart[np.arange(len(block)), block] = -np.inf  # rank 0 is the point itself
        near = tree.query(xy[block], k + 1)[1]
        near = near[layout.others(near, block)].reshape(len(block), k)
        ranks = _ranks(apart, near)
        penalty += float(np.maximum(ranks - k, 0).sum())
        kept += float((ranks <= k).sum())
    most = len(anchors) * k * (2 * n - 3 * k - 1) / 2
    return {
        "trustworthiness": 1 - penalty / most,
        "knn_preservation": kept / (len(anchors) * k),
        "triplet_accuracy": _triplets(vectors, xy, random),
        "k": k,
        "anchors": len(anchors),
    }


def _ranks(apart: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Rank of each map neighbour among the distances of its row: 1 is the nearest other point."""
    ordered = np.sort(apart, axis=1)
    wanted = np.take_along_axis(apart, near, axis=1)
    return np.stack([np.searchsorted(o, w) for o, w in zip(ordered, wanted, strict=True)])


def _triplets(vectors: np.ndarray, xy: np.ndarray, random: np.random.Generator) -> float:
    a, b, c = random.integers(0, len(vectors), (3, TRIPLETS))
    real = (a != b) & (a != c) & (b != c)
    a, b, c = a[real], b[real], c[real]

    def nearer(points: np.ndarray) -> np.ndarray:
        first = np.square(points[a] - points[b]).sum(axis=1)
        second: np.ndarray = first < np.square(points[a] - points[c]).sum(axis=1)
        return second

    return float((nearer(vectors) == nearer(xy)).mean()) if len(a) else 1.0
