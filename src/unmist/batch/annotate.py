"""Verdicts as columns: the stateless step that a batch job, Ray Data, Spark or Daft repeats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

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
    ``bad_input`` and no vector.

    Args:
        tasks: what to ask, one at least.
        text_column: a column of strings or bytes.
        model_path: model folder; ``None`` is the one that unmist ships.
        embed: whether to add the vectors of the first task's field kind.
        adapters: specialists beside the model's own, made by ``unmist train``.
        threads: CPU threads; ``None`` lets the engine choose.
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

            # A cache would make the last bits of a row depend on what was asked before a restart.
            self._model = load(
                self.model_path, adapters=self.adapters, threads=self.threads, cache=0
            )
        return self._model

    def on(self, text_column: str) -> Annotate:
        """The same for another column, sharing the model if it is open."""
        return Annotate(
            self.tasks,
            text_column,
            self.model_path,
            self.embed,
            adapters=self.adapters,
            threads=self.threads,
            model=self._model,
        )

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
        self.check(table.schema)
        values = table.column(self.text_column).cast(pa.large_binary()).to_pylist()
        rows = [cell_row(value, "", i) for i, value in enumerate(values, start=1)]
        for task in self.tasks:
            verdicts = self.model.classify_rows(rows, task) if rows else []
            for name, kind in VERDICT_FIELDS.items():
                cells = pa.array([getattr(v, name) for v in verdicts], kind)
                table = table.append_column(f"{prefix(task)}_{name}", cells)
        if self.embed:
            table = table.append_column(VECTOR, self._vectors(rows))
        metadata = (table.schema.metadata or {}) | {MODEL_HASH: self.model.hash.encode()}
        return table.replace_schema_metadata(metadata)

    def check(self, schema: pa.Schema) -> None:
        """Whether tables of this schema can be annotated; raises ``UsageError`` if not."""
        names = schema.names
        if self.text_column not in names:
            listed = ", ".join(map(repr, names)) or "none"
            raise UsageError(f"no column {self.text_column!r}; the table has: {listed}")
        require_text(pa, schema.field(self.text_column).type, self.text_column, "table")
        taken = [name for name in self.columns() if name in names]
        if taken:
            message = f"there is a column {taken[0]!r} already; rename or drop it"
            raise UsageError(message)

    def _vectors(self, rows: Sequence[Row]) -> pa.Array:
        model = self.model
        good = [i for i, row in enumerate(rows) if row.problem is None]
        vectors = np.zeros((len(rows), model.dim), np.float16)
        if good:
            vectors[good] = model.embed([rows[i].text for i in good], model.field_of(self.tasks[0]))
        missing = np.ones(len(rows), bool)
        missing[good] = False
        flat = pa.array(vectors.reshape(-1))
        return pa.FixedSizeListArray.from_arrays(flat, model.dim, mask=pa.array(missing))


def prefix(task: str) -> str:
    """What the columns of a task begin with."""
    return task.replace("-", "_")


def bad_reasons(table: pa.Table, tasks: Sequence[str]) -> list[str | None]:
    """Why each row of an annotated table is bad, ``None`` for a good one."""
    reasons: list[str | None] = [None] * table.num_rows
    for task in tasks:
        statuses = table.column(f"{prefix(task)}_status").to_pylist()
        for i, status in enumerate(statuses):
            if status == "bad_input" and reasons[i] is None:
                reasons[i] = table.column(f"{prefix(task)}_reason")[i].as_py() or "bad_input"
    return reasons
