"""Density clusters of points in the plane.

Source: HDBSCAN, Campello, Moulavi and Sander, PAKDD 2013, as scikit-learn has it. Its own search
for the spanning tree is quadratic; here it gets a sparse graph that holds the tree almost surely:
the Delaunay triangulation, which contains the euclidean spanning tree, and the nearest neighbours,
which decide the core distances.
"""

from typing import Any, Final

import numpy as np

from unmist.map.extra import need

# A cluster holds at least one in so many points. One in 500 hid what lies in it: in a map of
# 100,000 hostnames the Russian dial-up names were no cluster of their own.
_SHARE: Final = 2000
_LEAST: Final = 20
_CORE: Final = 5  # points, itself among them, whose distance is the core distance
_NEIGHBOURS: Final = 16


def find_clusters(xy: np.ndarray) -> np.ndarray:
    """Cluster numbers int32 [n], the largest cluster is 0, no cluster is -1.

    Args:
        xy: float [n, 2].
    """
    if len(xy) < 2 * _LEAST:
        return np.full(len(xy), -1, np.int32)
    method = need("sklearn.cluster").HDBSCAN(
        metric="precomputed",
        min_cluster_size=max(_LEAST, len(xy) // _SHARE),
        min_samples=_CORE,
        cluster_selection_method="leaf",
        copy=True,
    )
    return by_size(method.fit(_graph(xy.astype(np.float64))).labels_)


def by_size(clusters: np.ndarray) -> np.ndarray:
    """Renumber clusters so that the largest is 0; -1 stays. int32 [n]."""
    sizes = np.bincount(clusters + 1)[1:]
    numbers = np.full(len(sizes) + 1, -1, np.int32)
    numbers[1 + np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    renumbered: np.ndarray = numbers[clusters + 1]
    return renumbered


def adopt(clusters: np.ndarray, neighbours: np.ndarray) -> np.ndarray:
    """The cluster that most of a point's neighbours are in: int32 [m].

    Args:
        clusters: int [n].
        neighbours: int [m, k], places in ``clusters``.
    """
    votes = clusters[neighbours] + 1
    width = int(clusters.max(initial=-1)) + 2
    rows = np.arange(len(votes))[:, None] * width
    counts = np.bincount((votes + rows).ravel(), minlength=len(votes) * width)
    winner: np.ndarray = (counts.reshape(-1, width).argmax(axis=1) - 1).astype(np.int32)
    return winner


def _graph(xy: np.ndarray) -> Any:
    """Symmetric sparse distances [n, n] over Delaunay edges and nearest neighbours."""
    spatial, sparse = need("scipy.spatial"), need("scipy.sparse")
    n = len(xy)
    # QJ joggles the input, so that points on one line or in one place are no error.
    triangles = spatial.Delaunay(xy, qhull_options="Qbb Qc QJ").simplices
    edges = [triangles[:, pair] for pair in ((0, 1), (1, 2), (2, 0))]
    k = min(_NEIGHBOURS, n - 1)
    near = spatial.cKDTree(xy).query(xy, k + 1)[1]
    edges.append(np.column_stack([np.repeat(np.arange(n), k + 1), near.ravel()]))
    ends = np.concatenate(edges)
    ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
    lengths = np.linalg.norm(xy[ends[:, 0]] - xy[ends[:, 1]], axis=1)
    # A stored zero would be no edge.
    half = sparse.csr_matrix((np.maximum(lengths, 1e-12), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return (half + half.T).tocsr()
