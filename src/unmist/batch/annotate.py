"""Verdicts as columns: the stateless step that a batch job, Ray Data, Spark or Daft repeats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from unmist.errors import UsageError
from unmist.io.columnar import cell_row, require_text

if TYPE_CHECKING:
    from unmist.io import Row
    from unmist.model import Model

VERDICT_FIELDS: Final = {
    "label": pa.string(),
    "score": pa.float32(),
    "status": pa.string(),
    "reason": pa.string(),
    "model_label": pa.string(),
    "model_score": pa.float32(),
}
"""Column name after the task's, and type; the values are those of ``Verdict``."""

VECTOR: Final = "vector"
MODEL_HASH: Final = b"model_hash"


class Annotate:
    """Table in, the same table with verdict columns out, row by row in order.

    It can be pickled; the model is opened by the first call in each process and kept. For every
    task the columns ``<task>_label``, ``_score``, ``_status``, ``_reason``, ``_model_label`` and
    ``_model_score`` are added (with ``_`` for ``-`` in the task's name), and on demand ``vector``,
    float16 [dim]. The model's hash is in the schema metadata as ``model_hash``.

    A text that cannot be asked about (null, empty, not UTF-8, with a NUL) has the status
    ``bad_input`` and no vector. A text that stands in a table several times is asked about once.

    Args:
        tasks: what to ask, one at least.
        text_column: a column of strings or bytes.
        model_path: model folder; ``None`` is the one that unmist ships.
        embed: whether to add the vectors of the first task's field kind.
        adapters: specialists beside the model's own, made by ``unmist train``.
        threads: CPU threads; ``None`` lets the engine choose.
        cache: answers to keep from one table to the next, for traffic that repeats itself. With
            0, a row's answer depends on its table alone; else its last bits may also depend on
            the tables before.
        model: the model itself, where it is open already; a pickled copy opens it again.
    """

    def __init__(
        self,
        tasks: Sequence[str],
        text_column: str,
        model_path: str | Path | None = None,
        embed: bool = False,
        *,
        adapters: Sequence[str | Path] = (),
        threads: int | None = None,
        cache: int = 0,
        model: Model | None = None,
    ) -> None:
        self.tasks = tuple(dict.fromkeys([tasks] if isinstance(tasks, str) else tasks))
        if not self.tasks:
            raise UsageError("no task; name one at least")
        self.text_column = text_column
        self.model_path = model_path
        self.embed = embed
        self.adapters = tuple(adapters)
        self.threads = threads
        self.cache = cache
        self._model = model

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_model": None}

    @property
    def model(self) -> Model:
        """The model, opened now if it was not.

        Raises:
            ModelError: the folder cannot be opened.
        """
        if self._model is None:
            from unmist.model import load

            self._model = load(
                self.model_path, adapters=self.adapters, threads=self.threads, cache=self.cache
            )
        return self._model

    def forget(self) -> None:
        """Empty the cache: what comes next is answered as if nothing had been asked before."""
        if self._model is not None:
            self._model.cache_clear()

    def columns(self) -> list[str]:
        """Names of the columns that are added, in order."""
        names = [f"{prefix(task)}_{name}" for task in self.tasks for name in VERDICT_FIELDS]
        return [*names, VECTOR] if self.embed else names

    def __call__(self, table: pa.Table) -> pa.Table:
        """Annotate one table [n rows]; n may be 0.

        Raises:
            UsageError: no such column, one that holds no text, or a column of an added name.
            ModelError: the model cannot be opened.
        """
        self.check(table.schema, self.text_column)
        answers = self.answers(table.column(self.text_column))
        for name in answers.column_names:
            table = table.append_column(answers.schema.field(name), answers.column(name))
        metadata = (table.schema.metadata or {}) | {MODEL_HASH: self.model.hash.encode()}
        return table.replace_schema_metadata(metadata)

    def answers(self, texts: pa.ChunkedArray) -> pa.Table:
        """The added columns alone [n rows], for a column of strings or bytes [n].

        Raises:
            ModelError: the model cannot be opened.
        """
        # As bytes, because a string column of a hostile file need not be UTF-8.
        encoded = texts.cast(pa.large_binary()).combine_chunks().dictionary_encode()
        values = encoded.dictionary.to_pylist()
        nothing = len(values)  # stands for null, if there is one
        if encoded.null_count:
            values.append(None)
        places = encoded.indices.fill_null(nothing)
        rows = [cell_row(value, "", 0) for value in values]
        columns: dict[str, pa.Array] = {}
        answered = self.model.ask_rows(rows, self.tasks) if rows else []
        for number, task in enumerate(self.tasks):
            for name, kind in VERDICT_FIELDS.items():
                cells = pa.array([getattr(of[number], name) for of in answered], kind)
                columns[f"{prefix(task)}_{name}"] = cells.take(places)
        if self.embed:
            columns[VECTOR] = self._vectors(rows, places.to_numpy())
        return pa.table(columns)

    def check(self, schema: pa.Schema, text_column: str) -> None:
        """Whether tables of this schema can be annotated; raises ``UsageError`` if not."""
        names = schema.names
        if text_column not in names:
            listed = ", ".join(map(repr, names)) or "none"
            raise UsageError(f"no column {text_column!r}; the table has: {listed}")
        require_text(pa, schema.field(text_column).type, text_column, "table")
        taken = [name for name in self.columns() if name in names]
        if taken:
            message = f"there is a column {taken[0]!r} already; rename or drop it"
            raise UsageError(message)

    def _vectors(self, rows: Sequence[Row], places: np.ndarray) -> pa.Array:
        """The vectors of the rows at ``places`` [n], null for a row that cannot be asked about."""
        model = self.model
        good = [i for i, row in enumerate(rows) if row.problem is None]
        vectors = np.zeros((len(rows), model.dim), np.float16)
        if good:
            vectors[good] = model.embed([rows[i].text for i in good], model.field_of(self.tasks[0]))
        missing = np.ones(len(rows), bool)
        missing[good] = False
        flat = pa.array(vectors[places].reshape(-1))
        mask = pa.array(missing[places])
        return pa.FixedSizeListArray.from_arrays(flat, model.dim, mask=mask)


def prefix(task: str) -> str:
    """What the columns of a task begin with."""
    return task.replace("-", "_")


def bad_reasons(table: pa.Table, tasks: Sequence[str]) -> list[str | None]:
    """Why each row of an annotated table is bad, ``None`` for a good one; empty if all are good."""
    bad = [pc.equal(table.column(f"{prefix(task)}_status"), "bad_input") for task in tasks]
    if not any(pc.any(rows).as_py() for rows in bad):
        return []
    reasons: list[str | None] = [None] * table.num_rows
    for task, rows in zip(tasks, bad, strict=True):
        said = table.column(f"{prefix(task)}_reason")
        for place in pc.indices_nonzero(rows).to_pylist():
            reasons[place] = reasons[place] or said[place].as_py() or "bad_input"
    return reasons
