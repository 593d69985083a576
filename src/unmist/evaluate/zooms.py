"""One cluster of a map from near, with names of its members: a picture for a report."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.io import AtomicFile
from unmist.map import OldMap
from unmist.map.extra import need
from unmist.visible import visible

_SIZE: Final = (9, 6)
_LABELS: Final = 48
_LONGEST: Final = 42
_WIDTH: Final = 0.0068  # of the figure, one letter
_HEIGHT: Final = 0.028


def write_zoom(path: Path, old: OldMap, cluster: int) -> None:
    """Draw a cluster and what lies around it as PNG.

    Args:
        path: where to.
        old: the map.
        cluster: its number.

    Raises:
        UsageError: matplotlib is not installed.
        OutputError: it cannot be written.
    """
    figures, effects = need("matplotlib.figure"), need("matplotlib.patheffects")
    inside = old.clusters == cluster
    low, high = _window(old.xy[inside])
    figure = figures.Figure(figsize=_SIZE, dpi=110, facecolor="white")
    axes: Any = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_xlim(low[0], high[0])
    axes.set_ylim(low[1], high[1])
    axes.scatter(*old.xy[~inside].T, s=5, c="#c3c7ce", linewidths=0)
    axes.scatter(*old.xy[inside].T, s=16, c="#3b6fe0", linewidths=0)
    halo = [effects.withStroke(linewidth=2.5, foreground="white")]
    for place, text in _labels(old, np.flatnonzero(inside), low, high):
        axes.annotate(
            text, place, ha="center", va="bottom", fontsize=7, color="#1d2330",
            path_effects=halo, parse_math=False,
        )  # fmt: skip
    title = f"{old.names[cluster]}: {int(inside.sum()):,} names"
    axes.text(
        0.01, 0.985, visible(title), transform=axes.transAxes, va="top", fontsize=10,
        fontweight="bold", color="#1d2330", path_effects=halo, parse_math=False,
    )  # fmt: skip
    with AtomicFile(path) as file:
        figure.savefig(file, format="png")


def _window(xy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners of a view onto the middle nine tenths of a cluster, in the figure's proportions."""
    low, high = np.percentile(xy, (5, 95), axis=0)
    middle = (low + high) / 2
    half = np.maximum(high - low, 1e-3) * 0.75
    scale = max(half[0] / _SIZE[0], half[1] / _SIZE[1])
    half = scale * np.array(_SIZE)
    return middle - half, middle + half


def _labels(
    old: OldMap, inside: np.ndarray, low: np.ndarray, high: np.ndarray
) -> list[tuple[np.ndarray, str]]:
    """Names of members that fit beside each other, those in the middle first."""
    taken: list[tuple[float, float, float]] = []
    found = []
    middle = (low + high) / 2
    for i in inside[np.argsort(np.linalg.norm(old.xy[inside] - middle, axis=1), kind="stable")]:
        text = visible(old.texts.texts[i])
        text = text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
        x, y = (old.xy[i] - low) / (high - low)
        wide = len(text) * _WIDTH / 2
        if not (wide < x < 1 - wide and 0.03 < y < 0.92):
            continue
        if all(abs(x - a) > wide + b or abs(y - c) > _HEIGHT for a, b, c in taken):
            taken.append((x, wide, y))
            found.append((old.xy[i], text))
        if len(found) == _LABELS:
            break
    return found
