"""Maps as Parquet: coordinates, clusters and verdicts, and an earlier map read back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile
from unmist.map.points import MapPoints, Texts

_KEY: Final = b"unmist_map"
_COLUMNS: Final = ("text", "source", "line", "count", "x", "y", "cluster", "placed")


def write_map(path: str | Path, points: MapPoints) -> None:
    """Write a map: one row a point, the rest in the schema metadata ``unmist_map`` (JSON).

    Columns: ``text, source, line, count, x, y, cluster, cluster_name, placed``, ``new`` if there
    is an earlier map, for every specialist ``<task>_label, _model_label, _score`` (``_`` for
    ``-``), then ``by_<column>`` as strings.

    Raises:
        OutputError: it cannot be written; an earlier file is left as it was.
    """
    texts = points.texts
    columns: dict[str, Any] = {
        "text": pa.array(texts.texts, pa.string()),
        "source": pa.array(texts.sources, pa.string()),
        "line": pa.array(texts.lines, pa.int64()),
        "count": pa.array(texts.counts, pa.int64()),
        "x": pa.array(points.xy[:, 0], pa.float32()),
        "y": pa.array(points.xy[:, 1], pa.float32()),
        "cluster": pa.array(points.clusters, pa.int32()),
        "cluster_name": pa.array(
            [points.names[c] if c >= 0 else None for c in points.clusters], pa.string()
        ),
        "placed": pa.array(points.placed, pa.bool_()),
    }
    if points.new is not None:
        columns["new"] = pa.array(points.new, pa.bool_())
    for task, said in points.tasks.items():
        name = task.replace("-", "_")
        columns[f"{name}_label"] = pa.array(said.labels, pa.string())
        columns[f"{name}_model_label"] = pa.array(said.model_labels, pa.string())
        columns[f"{name}_score"] = pa.array(said.scores, pa.float32())
    for name, values in texts.columns.items():
        shown = [None if v is None else str(v) for v in values]
        columns[f"by_{name}"] = pa.array(shown, pa.string())
    about = points.about | {"names": points.names, "quality": points.quality}
    about["columns"] = list(texts.columns)
    table = pa.table(columns).replace_schema_metadata({_KEY: json.dumps(about, sort_keys=True)})
    with AtomicFile(path) as file:
        pq.write_table(table, file, compression="zstd")


@dataclass(frozen=True)
class OldMap:
    """An earlier map, as far as a later one needs it; n points as in :class:`MapPoints`."""

    path: str
    texts: Texts
    xy: np.ndarray
    clusters: np.ndarray
    placed: np.ndarray
    names: list[str]
    quality: dict[str, float]
    about: dict[str, Any]

    def require(self, model_hash: str, field: str) -> None:
        """Refuse a map of another model or field kind with UsageError."""
        for name, wanted in (("model_hash", model_hash), ("field", field)):
            held = self.about.get(name)
            if held != wanted:
                raise UsageError(
                    f"{self.path}: was made with {name} {str(held)[:16]!r}, this run has "
                    f"{wanted[:16]!r}; use the same --model and --field, or make the map anew"
                )

    def places(self) -> dict[str, int]:
        """The row of every text."""
        return {text: i for i, text in enumerate(self.texts.texts)}

    def start(self, texts: Sequence[str], neighbours: np.ndarray) -> np.ndarray | None:
        """Where to start a layout: the earlier place of a text, or of its known neighbours.

        Args:
            texts: the texts. [n]
            neighbours: int [n, k], places in ``texts``.

        Returns:
            float64 [n, 2]; ``None`` when fewer than half of the texts are known.
        """
        rows = self.places()
        at = np.array([rows.get(text, -1) for text in texts])
        known = at >= 0
        if known.mean() < 0.5:
            return None
        xy = np.where(known[:, None], self.xy[at], np.nan).astype(np.float64)
        for i in np.flatnonzero(~known):
            near = xy[neighbours[i][known[neighbours[i]]]]
            xy[i] = np.median(near, axis=0) if len(near) else 0.0
        return xy

    def with_more(self, texts: Texts, which: Sequence[int]) -> Texts:
        """The texts of this map and after them the ``which`` of others."""
        mine = self.texts
        n = len(mine.texts)
        columns = {}
        for name in dict.fromkeys((*mine.columns, *texts.columns)):
            theirs = texts.columns.get(name)
            more = [None] * len(which) if theirs is None else [theirs[i] for i in which]
            columns[name] = mine.columns.get(name, [None] * n) + more
        return Texts(
            mine.texts + [texts.texts[i] for i in which],
            mine.sources + [texts.sources[i] for i in which],
            mine.lines + [texts.lines[i] for i in which],
            mine.counts + [texts.counts[i] for i in which],
            columns,
        )


def read_map(path: str | Path) -> OldMap:
    """Read a map that :func:`write_map` wrote.

    Raises:
        InputError: it is missing, or is not such a file, or does not hold together.
    """
    shown = str(path)
    wrong = "is not a map; give a file that 'unmist map --parquet' wrote"
    try:
        table = pq.read_table(path)
        about = json.loads((table.schema.metadata or {})[_KEY])
        columns = {name: table.column(name).to_pylist() for name in _COLUMNS}
        by = {name: table.column(f"by_{name}").to_pylist() for name in about["columns"]}
        names, quality = list(map(str, about["names"])), dict(about["quality"])
    except FileNotFoundError:
        raise InputError("no such file; check the path of the earlier map", shown) from None
    except (pa.ArrowException, OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"{wrong} ({type(error).__name__})", shown) from error
    if any(None in columns[name] for name in _COLUMNS):
        raise InputError(f"{wrong} (empty cells)", shown)
    xy = np.column_stack([columns["x"], columns["y"]]).astype(np.float32).reshape(-1, 2)
    found = np.array(columns["cluster"], np.int32)
    sound = np.isfinite(xy).all() and len(xy) and found.min() >= -1 and found.max() < len(names)
    placed = np.array(columns["placed"], bool)
    if not sound or placed.all():
        raise InputError(f"{wrong} (coordinates or clusters do not hold together)", shown)
    texts = Texts(columns["text"], columns["source"], columns["line"], columns["count"], by)
    return OldMap(shown, texts, xy, found, placed, names, quality, about)
