"""What a map consists of, in memory."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class TaskColumn:
    """What one specialist says of every point.

    Attributes:
        labels: what unmist says, ``None`` where it abstains. [n]
        model_labels: the label with the highest probability. [n]
        scores: float32 [n], calibrated probability of ``model_labels``.
    """

    labels: list[str | None]
    model_labels: list[str]
    scores: np.ndarray


@dataclass(frozen=True)
class Texts:
    """Distinct texts in the order in which they were first read.

    Attributes:
        texts: the texts. [n]
        sources: input in which each was first read. [n]
        lines: 1-based line or row there. [n]
        counts: how many rows held the text. [n]
        columns: columns of the input by name, the value of the first row; ``None`` where unset.
    """

    texts: list[str]
    sources: list[str]
    lines: list[int]
    counts: list[int]
    columns: dict[str, list[Any]]


@dataclass(frozen=True)
class MapPoints:
    """A finished map of n points.

    Attributes:
        texts: the points' texts and where they come from.
        xy: float32 [n, 2], centred, within [-1, 1].
        clusters: int32 [n], -1 where no cluster is.
        names: one name a cluster, in the order of their numbers.
        neighbours: int32 [n, m], the nearest points by cosine among the laid-out ones, nearest
            first.
        tasks: specialists by name.
        placed: bool [n], whether a point was put beside its neighbours instead of being laid out.
        new: bool [n] against an earlier map, or ``None`` where there is none to compare with.
        quality: figures of :func:`unmist.map.quality.measure`.
        about: model hash, field kind, settings and library versions.
    """

    texts: Texts
    xy: np.ndarray
    clusters: np.ndarray
    names: list[str]
    neighbours: np.ndarray
    tasks: dict[str, TaskColumn]
    placed: np.ndarray
    new: np.ndarray | None = None
    quality: dict[str, float] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts.texts)

    def new_clusters(self) -> list[int]:
        """Clusters of which more than half is new, the largest first."""
        if self.new is None:
            return []
        sizes = np.bincount(self.clusters + 1, minlength=len(self.names) + 1)[1:]
        fresh = np.bincount(
            self.clusters + 1, weights=self.new.astype(float), minlength=len(self.names) + 1
        )[1:]
        found = np.flatnonzero(fresh > 0.5 * sizes)
        return [int(c) for c in found[np.argsort(-sizes[found], kind="stable")]]
