"""The chart as a figure: parameters across (log), accuracy up, for light and for dark pages."""

import io
from pathlib import Path
from typing import Any, Final

from unmist.evaluate.compare import contenders as c
from unmist.io import AtomicFile
from unmist.map.extra import need

_SIZE: Final = (9.0, 5.6)
_HOW: Final = {  # marker and colour of each way; one pair for every kind, told apart without colour
    c.LINEAR: ("s", "#8a8f98"),
    c.PROBE: ("o", "#2f7ed8"),
    c.LORA: ("^", "#d9822b"),
    c.WHOLE: ("D", "#8e5bb5"),
    c.SHIPPED: ("*", "#1b9e77"),
}
_FOR: Final = ("compare", "the chart")
_LIGHT: Final = {"paper": "#ffffff", "ink": "#1d2330", "grid": "#dfe3e8"}
_DARK: Final = {"paper": "#14171d", "ink": "#e6e9ef", "grid": "#2d333d"}


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
    _names(axes, whole, colours)
    _legend(axes, colours)
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
    legend = axes.legend(
        frameon=False, ncols=len(_HOW), loc="lower center", bbox_to_anchor=(0.5, 1.0)
    )
    for text in legend.get_texts():
        text.set_color(colours["ink"])


def _names(axes: Any, whole: dict[str, Any], colours: dict[str, str]) -> None:
    """A name beside each point; the best of those that would overlap keeps the place to the right,
    others move down until there is room."""
    low, high = axes.get_ylim()
    step = (high - low) / 26
    taken: list[tuple[float, float]] = []
    order = sorted(whole["compared"], key=lambda one: -one["accuracy"]["value"])
    for one in order:
        place, x = one["accuracy"]["value"], one["parameters"]
        while any(abs(place - y) < step and 1 / 9 < x / at < 9 for at, y in taken):
            place -= step / 4
        taken.append((x, place))
        won = one["name"] == whole["smallest_winner"]
        said = one["model"] + (" (cut)" if one["cut"] else "")
        axes.annotate(
            said, (x, one["accuracy"]["value"]), xytext=(x * 1.13, place), va="center",
            fontsize=8.5, color=_HOW[one["how"]][1] if won else colours["ink"],
            fontweight="bold" if won else "normal", parse_math=False,
        )  # fmt: skip
        if won:
            axes.scatter(
                [x], [one["accuracy"]["value"]], s=420, facecolors="none",
                edgecolors=_HOW[one["how"]][1], linewidths=1.6, zorder=4,
            )  # fmt: skip
            axes.annotate(
                "the smallest that beats every larger one", (x, one["accuracy"]["high"]),
                xytext=(0, 14), textcoords="offset points", ha="center", fontsize=8.5,
                color=colours["ink"],
            )  # fmt: skip
