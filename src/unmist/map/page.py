"""The page: one HTML file that holds the map, opens from disk and asks nobody for anything.

Names in it are hostile text. They reach the page only as JSON with every ``<``, ``>`` and ``&``
written as an escape, and the script puts them on the screen as text, never as markup.
"""

import base64
import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.io import AtomicFile
from unmist.map.points import MapPoints
from unmist.visible import visible

_KINDS: Final = 200  # distinct values of a column that keep a colour of their own
_SCALE: Final = 65_535


def write_page(path: str | Path, points: MapPoints, title: str = "unmist map") -> None:
    """Write the page.

    Raises:
        OutputError: it cannot be written; an earlier file is left as it was.
    """
    page = render(points, title).encode("utf-8", "backslashreplace")
    with AtomicFile(path) as file:
        file.write(page)


def render(points: MapPoints, title: str = "unmist map") -> str:
    """The page as a string."""
    parts = files("unmist.map")
    html, css, script = (
        parts.joinpath(name).read_text(encoding="utf-8")
        for name in ("page.html", "page.css", "page.js")
    )
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(css)}; "
        "connect-src 'none'; img-src 'none'; base-uri 'none'; form-action 'none'"
    )
    data = safe_json(_facts(points, title))
    # The template is cut once, so that nothing inside a value can be taken for a place.
    values = {"policy": policy, "css": css, "data": data, "script": script}
    pieces = html.split("%%")
    return "".join(values[p] if i % 2 else p for i, p in enumerate(pieces))


def safe_json(value: Any) -> str:
    """JSON that cannot end a script element nor open a comment in one."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _packed(array: np.ndarray, kind: str) -> str:
    """Little-endian numbers as base64; the page reads them as a typed array."""
    data = np.ascontiguousarray(array.astype(np.dtype(kind).newbyteorder("<")))
    return base64.b64encode(data.tobytes()).decode()


def _facts(points: MapPoints, title: str) -> dict[str, Any]:
    places = np.clip((points.xy.astype(np.float64) + 1) / 2 * _SCALE, 0, _SCALE)
    clusters = [
        {"name": visible(name), "xy": _middle(points, c), "size": int((points.clusters == c).sum())}
        for c, name in enumerate(points.names)
    ]
    return {
        "title": title,
        "field": str(points.about.get("field", "")),
        "texts": [visible(text) for text in points.texts.texts],
        "xy": _packed(np.rint(places), "u2"),
        "cluster": _packed(points.clusters, "i4"),
        "clusters": clusters,
        "fresh": points.new_clusters(),
        "near": _packed(points.neighbours, "i4"),
        "nearest": int(points.neighbours.shape[1]),
        "tasks": [_task(name, said) for name, said in points.tasks.items()],
        "columns": _columns(points),
        "quality": {k: round(float(v), 4) for k, v in points.quality.items()},
    }


def _middle(points: MapPoints, cluster: int) -> list[float]:
    inside = points.xy[points.clusters == cluster]
    if not len(inside):
        return [0.5, 0.5]
    return [round(float(v), 4) for v in (np.median(inside, axis=0) + 1) / 2]


def _task(name: str, said: Any) -> dict[str, Any]:
    labels = sorted(set(said.model_labels))
    place = {label: i for i, label in enumerate(labels)}
    return {
        "name": name,
        "labels": labels,
        "said": _packed(np.array([place[label] for label in said.model_labels]), "u2"),
        "answered": _packed(np.array([label is not None for label in said.labels]), "u1"),
        "score": _packed(np.rint(np.clip(said.scores, 0, 1) * 255), "u1"),
    }


def _columns(points: MapPoints) -> list[dict[str, Any]]:
    columns = [_column(name, values) for name, values in points.texts.columns.items()]
    if points.about.get("field") == "hostname":
        ends = [t.rstrip(".").rpartition(".")[2].lower() or None for t in points.texts.texts]
        columns.append(_kinds("top-level domain", ends))
    if points.new is not None:
        columns.insert(0, _kinds("new", ["new" if n else "known" for n in points.new]))
    return columns


def _column(name: str, values: list[Any]) -> dict[str, Any]:
    numbers = _numbers(values)
    if numbers is None:
        return _kinds(name, values)
    low, high = float(np.nanmin(numbers)), float(np.nanmax(numbers))
    scaled = (numbers - low) / max(high - low, 1e-12) * 254
    # 255 stands for a missing number.
    packed = _packed(np.where(np.isnan(numbers), 255, np.rint(scaled)), "u1")
    return {"name": visible(name), "low": low, "high": high, "scaled": packed}


def _numbers(values: list[Any]) -> np.ndarray | None:
    """The values as numbers, NaN where unset; ``None`` if some are not, or there are few kinds."""
    if len(set(map(str, values))) <= 12:
        return None
    try:
        numbers = np.array([np.nan if v in (None, "") else float(v) for v in values], np.float64)
    except (TypeError, ValueError):
        return None
    return numbers if np.isfinite(numbers).any() and not np.isinf(numbers).any() else None


def _kinds(name: str, values: list[Any]) -> dict[str, Any]:
    shown = ["" if value is None else str(value)[:200] for value in values]
    kinds, counts = np.unique(np.array(shown, dtype=object).astype(str), return_counts=True)
    order = np.argsort(-counts, kind="stable")[:_KINDS]
    place = {str(kinds[k]): i for i, k in enumerate(order)}
    codes = np.array([place.get(value, len(order)) for value in shown])
    named = [visible(str(kinds[k])) or "(none)" for k in order] + ["(other)"]
    return {"name": visible(name), "kinds": named, "codes": _packed(codes, "u2")}
