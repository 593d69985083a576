"""The map as a picture for a report: PNG or SVG, labelled."""

from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.io import AtomicFile
from unmist.map.extra import need
from unmist.map.points import MapPoints

_SIZE: Final = (12, 12)
_LABELS: Final = 30
_GREY: Final = "#c3c7ce"


def write_picture(path: str | Path, points: MapPoints, kind: str) -> None:
    """Draw a map with the names of its largest clusters.

    Args:
        path: where to.
        points: the map; what is new is drawn in red if there is an earlier one.
        kind: ``png`` or ``svg``; in an SVG the points are one embedded raster.

    Raises:
        UsageError: matplotlib is not installed.
        OutputError: it cannot be written.
    """
    matplotlib: Any = need("matplotlib")
    figures = need("matplotlib.figure")
    figure = figures.Figure(figsize=_SIZE, dpi=150, facecolor="white")
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set_aspect("equal")
    size = float(np.clip(40_000 / max(len(points), 1), 0.3, 12))
    order = np.argsort(points.clusters >= 0, kind="stable")
    axes.scatter(
        points.xy[order, 0], points.xy[order, 1], s=size, c=_colours(points)[order],
        linewidths=0, rasterized=True,
    )  # fmt: skip
    effects = need("matplotlib.patheffects")
    halo = [effects.withStroke(linewidth=3, foreground="white")]
    for x, y, name in _labels(points):
        # A dollar sign would start a formula, and the name is foreign text.
        axes.annotate(
            name, (x, y), ha="center", va="center", fontsize=8, color="#1d2330",
            path_effects=halo, parse_math=False,
        )  # fmt: skip
    with AtomicFile(path) as file, matplotlib.rc_context({"svg.hashsalt": "unmist"}):
        figure.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)


def _colours(points: MapPoints) -> np.ndarray:
    convert = need("matplotlib.colors")
    if points.new is not None:
        red, grey = np.array(convert.to_rgb("#d6293e")), np.array(convert.to_rgb(_GREY))
        return np.where(points.new[:, None], red, grey)
    hue = (points.clusters * 0.61803398875) % 1.0
    hsv = np.column_stack([hue, np.full(len(hue), 0.62), np.full(len(hue), 0.82)])
    colours: np.ndarray = convert.hsv_to_rgb(hsv)
    colours[points.clusters < 0] = convert.to_rgb(_GREY)
    return colours


def _labels(points: MapPoints) -> list[tuple[float, float, str]]:
    """Places and names of the largest clusters whose names do not overlap."""
    taken: list[tuple[float, float]] = []
    labels = []
    for cluster, name in enumerate(points.names):
        x, y = np.median(points.xy[points.clusters == cluster], axis=0).tolist()
        if all(abs(x - a) > 0.28 or abs(y - b) > 0.035 for a, b in taken):
            taken.append((x, y))
            labels.append((x, y, name))
        if len(labels) == _LABELS:
            break
    return labels
