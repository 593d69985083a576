"""Vectors to the plane: principal components, exact neighbours, t-SNE.

Sources: t-SNE, van der Maaten and Hinton, JMLR 9 (2008); its fast form, Linderman et al., Nature
Methods 16 (2019); initialisation by principal components, Kobak and Berens, Nature Communications
10 (2019). The implementation is openTSNE, Policar et al., JSS 109 (2024).
"""

from typing import Final

import numpy as np

from unmist.map.extra import need

DIMENSIONS: Final = 50
PERPLEXITY: Final = 30
_QUERIES: Final = 4096


class Projection:
    """Principal components of vectors; keeps what it needs to project others.

    Args:
        vectors: float32 [n, dim].
        dimensions: components to keep, at most ``dim``.
    """

    def __init__(self, vectors: np.ndarray, dimensions: int = DIMENSIONS) -> None:
        self.mean = vectors.mean(axis=0, dtype=np.float64)
        centred = vectors - self.mean.astype(np.float32)
        covariance = (centred.T @ centred).astype(np.float64)
        values, axes = np.linalg.eigh(covariance)
        axes = axes[:, ::-1][:, :dimensions]
        # A component's sign is arbitrary; the largest weight is made positive.
        signs = np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
        self.axes = (axes * np.where(signs == 0, 1, signs)).astype(np.float32)
        kept = float(values[::-1][:dimensions].sum())
        self.explained = kept / max(float(values.sum()), 1e-12)

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Project: float32 [n, dim] to float32 [n, dimensions]."""
        projected: np.ndarray = (vectors - self.mean.astype(np.float32)) @ self.axes
        return projected


def nearest(points: np.ndarray, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The ``k`` nearest ``points`` of every query, exactly, nearest first.

    Args:
        points: float32 [n, d].
        queries: float32 [m, d].
        k: at most n.

    Returns:
        indices int32 [m, k] and euclidean distances float32 [m, k].
    """
    index = need("sklearn.neighbors").NearestNeighbors(n_neighbors=k, algorithm="brute").fit(points)
    places = np.empty((len(queries), k), np.int32)
    distances = np.empty((len(queries), k), np.float32)
    for start in range(0, len(queries), _QUERIES):
        part = slice(start, start + _QUERIES)
        distances[part], places[part] = index.kneighbors(queries[part])
    return places, distances


def neighbour_graph(points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """As :func:`nearest` for the points themselves, each left out of its own neighbours."""
    n = len(points)
    places, distances = nearest(points, points, k + 1)
    keep = others(places, np.arange(n))
    return places[keep].reshape(n, k), distances[keep].reshape(n, k)


def others(places: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Which neighbours to keep so that no point is its own: bool [n, k], all but one of each row.

    Args:
        places: int [n, k], neighbours of each point, itself perhaps among them.
        own: int [n], the place of the point itself.
    """
    itself: np.ndarray = places == own[:, None]
    itself[~itself.any(axis=1), -1] = True  # twins may push a point out of its own list
    return ~itself


def lay_out(
    points: np.ndarray,
    graph: tuple[np.ndarray, np.ndarray],
    *,
    seed: int,
    threads: int,
    initial: np.ndarray | None = None,
) -> np.ndarray:
    """Coordinates of points: float64 [n, 2]; the same for the same arguments on one machine.

    Args:
        points: float32 [n, d], principal components in the order of their variance.
        graph: neighbours and distances of :func:`neighbour_graph`, about three times the
            perplexity of them.
        seed: of what is random.
        threads: CPU threads.
        initial: [n, 2] where to start; default the first two components.
    """
    tsne, affinity = need("openTSNE"), need("openTSNE.affinity")
    neighbours = need("openTSNE.nearest_neighbors").PrecomputedNeighbors(*graph)
    affinities = affinity.PerplexityBasedNN(
        perplexity=min(PERPLEXITY, graph[0].shape[1] / 3), knn_index=neighbours, n_jobs=threads
    )
    start = points[:, :2] if initial is None else initial
    start = start.astype(np.float64)
    start *= 1e-4 / max(float(start[:, 0].std()), 1e-12)
    # Twins must not start from one place, or the gradient never parts them.
    start += np.random.default_rng(seed).normal(scale=1e-6, size=start.shape)
    method = tsne.TSNE(
        n_jobs=threads, random_state=seed, negative_gradient_method="fft", initialization=start
    )
    return np.asarray(method.fit(affinities=affinities, initialization=start), np.float64)


def frame(xy: np.ndarray) -> np.ndarray:
    """Centre and scale coordinates into [-1, 1], keeping their proportions: float32 [n, 2]."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-12)
    framed: np.ndarray = ((xy - (low + high) / 2) / half).astype(np.float32)
    return framed


def place(xy: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """Where new points go: the median of their neighbours' places, float32 [m, 2].

    The median and not the mean, so that a point between two clusters lands in one of them.
    """
    placed: np.ndarray = np.median(xy[neighbours], axis=1).astype(np.float32)
    return placed
