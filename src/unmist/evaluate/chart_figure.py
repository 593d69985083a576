"""The chart as a figure: parameters across (log), accuracy up, for light and for dark pages."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.evaluate.compare import names
from unmist.io import AtomicFile
from unmist.map.extra import need

_SIZE: Final = (9.0, 5.6)
_HOW: Final = {  # marker and colour of each way; one pair for every kind, told apart without colour
    names.LINEAR: ("s", "#8a8f98"),
    names.PROBE: ("o", "#2f7ed8"),
    names.LORA: ("^", "#d9822b"),
    names.WHOLE: ("D", "#8e5bb5"),
    names.SHIPPED: ("*", "#1b9e77"),
}
_FOR: Final = ("compare", "the chart")
_FONT: Final = 8.5  # of the names, in points
_NEAR: Final = 10.0  # from a point to its name
_RING: Final = 16.0  # the same where there is a ring
_WON: Final = ": the smallest to beat every larger one"
_WON_EQUAL: Final = ": the same, of equal rows"
_LIGHT: Final = {"paper": "#ffffff", "ink": "#1d2330", "grid": "#dfe3e8", "faint": "#9aa1ab"}
_DARK: Final = {"paper": "#14171d", "ink": "#e6e9ef", "grid": "#2d333d", "faint": "#69717e"}


def write(folder: Path, whole: dict[str, Any]) -> None:
    """``chart-light`` and ``chart-dark``, as SVG and as PNG.

    Args:
        folder: where to; made when it is not there.
        whole: the content of ``chart.json``.

    Raises:
        UsageError: matplotlib is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    matplotlib: Any = need("matplotlib", *_FOR)
    # Text stays text in the SVG, and the same figure is the same file.
    style = {"svg.hashsalt": "unmist", "svg.fonttype": "none", "font.size": 10}
    for name, colours in (("light", _LIGHT), ("dark", _DARK)):
        with matplotlib.rc_context(style):
            figure = draw(whole, colours)
            for kind in ("svg", "png"):
                memory = io.BytesIO()
                dates = {"Date": None} if kind == "svg" else None
                figure.savefig(memory, format=kind, metadata=dates, facecolor=colours["paper"])
                with AtomicFile(folder / f"chart-{name}.{kind}") as file:
                    file.write(memory.getvalue())


def draw(whole: dict[str, Any], colours: dict[str, str]) -> Any:
    """The figure, in matplotlib."""
    figure = need("matplotlib.figure", *_FOR).Figure(figsize=_SIZE, dpi=130, layout="constrained")
    axes = figure.add_subplot()
    _dress(axes, colours, whole)
    shown: set[str] = set()
    for one in whole["compared"]:
        marker, colour = _HOW[one["how"]]
        value, low, high = (one["accuracy"][k] for k in ("value", "low", "high"))
        axes.errorbar(
            one["parameters"], value, yerr=[[value - low], [high - value]], color=colour,
            fmt=marker, markersize=12 if marker == "*" else 7, capsize=2, elinewidth=1,
            markerfacecolor=colours["paper"] if one["every"] and marker != "*" else colour,
            label=None if one["how"] in shown else one["how"],
        )  # fmt: skip
        shown.add(one["how"])
    _legend(axes, colours)
    _names(figure, axes, whole, colours)
    return figure


def _dress(axes: Any, colours: dict[str, str], whole: dict[str, Any]) -> None:
    axes.set_xscale("log")
    axes.set_facecolor(colours["paper"])
    axes.grid(visible=True, color=colours["grid"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlabel("parameters of the whole model, its head included", color=colours["ink"])
    axes.set_ylabel(f"{whole['task']}: {whole['title']}", color=colours["ink"])
    axes.margins(x=0.14, y=0.12)
    axes.tick_params(colors=colours["ink"], which="both")
    for side, spine in axes.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(colours["grid"])


def _legend(axes: Any, colours: dict[str, str]) -> None:
    axes.plot([], [], "s", color=_HOW[names.LINEAR][1], markerfacecolor="none", label="all rows")
    legend = axes.legend(
        frameon=False, ncols=len(_HOW) + 1, loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )
    for text in legend.get_texts():
        text.set_color(colours["ink"])


def _names(figure: Any, axes: Any, whole: dict[str, Any], colours: dict[str, str]) -> None:
    """A name beside each point, at the nearest of some places where it covers nothing."""
    figure.draw_without_rendering()  # only now it is known where the points lie
    scale = 72 / figure.dpi
    points = [(one["parameters"], one["accuracy"]["value"]) for one in whole["compared"]]
    at = axes.transData.transform(points) * scale
    edge = axes.get_window_extent().x1 * scale
    winners = {whole["smallest_winner_on_equal_rows"]: _WON_EQUAL, whole["smallest_winner"]: _WON}
    taken = [
        _Box(x - across, y - up, x + across, y + up)
        for one, (x, y) in zip(whole["compared"], at, strict=True)
        for across, up in [(12, 12) if one["name"] in winners else (7, 9)]
    ]
    taken += [_Box(edge, -np.inf, np.inf, np.inf)]
    spots = sorted(  # long names choose first
        zip(whole["compared"], points, at, strict=True),
        key=lambda spot: spot[0]["name"] not in winners,
    )
    for one, point, (x, y) in spots:
        won = winners.get(one["name"], "")
        said = one["model"] + (" (cut)" if one["cut"] else "") + won
        places = _places(x, y, said, _RING if won else _NEAR)
        box = next(b for b in places if not any(map(b.meets, taken)) or b.last)
        taken.append(box)
        far = box.left - x > 20 or x - box.right > 20 or not box.bottom <= y <= box.top
        axes.annotate(
            said, point, xytext=(box.left - x, box.bottom - y), textcoords="offset points",
            va="bottom", fontsize=_FONT, parse_math=False,
            color=_HOW[one["how"]][1] if won else colours["ink"],
            fontweight="bold" if won else "normal",
            arrowprops={"arrowstyle": "-", "color": colours["faint"], "lw": 0.7} if far else None,
        )  # fmt: skip
        if won:
            axes.scatter(
                *point, s=420, facecolors="none", edgecolors=_HOW[one["how"]][1], linewidths=1.6
            )


@dataclass(frozen=True)
class _Box:
    """Where a text or a point lies, in points; ``last`` is the place for want of a better."""

    left: float
    bottom: float
    right: float
    top: float
    last: bool = False

    def meets(self, other: "_Box") -> bool:
        apart = self.left >= other.right or other.left >= self.right
        return not (apart or self.bottom >= other.top or other.bottom >= self.top)


def _places(x: float, y: float, said: str, near: float) -> Iterator[_Box]:
    """Places for a text around a point, from ``near`` points on."""
    wide, high = len(said) * _FONT * (0.64 if near == _RING else 0.58), _FONT * 1.35
    for away in range(0, 120, 6):
        for turn in range(16):
            angle = turn * np.pi / 8
            across, up = (near + away) * np.cos(angle), (near + away) * np.sin(angle)
            left = x + across - (wide if across < -1 else 0 if across > 1 else wide / 2)
            bottom = y + up - high / 2
            yield _Box(left, bottom, left + wide, bottom + high)
    yield _Box(x + near, y - high / 2, x + near + wide, y + high / 2, last=True)
