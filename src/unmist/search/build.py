"""Making an index, or adding to one: all of it, or nothing."""

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from unmist.errors import InputError, OutputError, UsageError
from unmist.io import AtomicFile
from unmist.search import manifest as listing
from unmist.search import near
from unmist.search.distinct import Distinct
from unmist.search.manifest import Manifest
from unmist.search.rows import OWN, Rows
from unmist.search.vectors import Vectors

if TYPE_CHECKING:
    from unmist.model import Model

GROUP_ROWS: Final = 1024  # small, because an answer reads the groups of a few rows


class Builder:
    """Takes rows, embeds the texts that are new, and writes both. A context manager.

    A new index is written in a folder beside ``folder`` and renamed at the end. What is added to
    an index counts once its manifest is replaced, which is the last thing to happen. After an
    exception, ``folder`` is as it was.

    Args:
        folder: the index.
        model: gives the model; called once a text has to be embedded.
        field: field kind of the texts.
        tasks: specialists whose labels the rows carry.
        add: go on with the index that is there.

    Raises:
        UsageError: ``folder`` exists and ``add`` is not set; another field kind; another model.
        InputError: there is no index to add to, or it is damaged.
        OutputError: another process adds to it, or it cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        model: Callable[[], "Model"],
        *,
        field: str,
        tasks: Iterable[str] = (),
        add: bool = False,
    ) -> None:
        self.folder, self._model, self._field, self._add = folder, model, field, add
        self._tasks = tuple(tasks)
        self.rows = 0

    def __enter__(self) -> "Builder":
        self._stack = contextlib.ExitStack()
        try:
            self._begin()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __len__(self) -> int:
        """Distinct texts in the index so far."""
        return len(self._distinct)

    def add(self, rows: Rows, source: str) -> None:
        """Take some rows.

        Raises:
            UsageError: they come with vectors of another model, or of another width.
        """
        if not rows.texts:
            return
        added = self._distinct.add(rows, source)
        self._vector_file.write(added.vectors.tobytes())
        self._key_file.write(b"".join(added.keys))
        numbers = pa.array(added.numbers, pa.int64())
        self._rows.write(rows.table.add_column(len(OWN), "vector", numbers))
        self.rows += len(rows.texts)

    def _begin(self) -> None:
        if self._add:
            listing.read(self.folder, verify=False)  # before a lock is left in a folder of others
            self._stack.enter_context(listing.locked(self.folder))
            self._old = listing.read(self.folder)
            self._require_same()
            self._work = self.folder
            held = Vectors(self.folder, self._old).keys()
            self._distinct = Distinct(
                self._model,
                self._field,
                [one.tobytes() for one in held],
                self._old.model_hash,
                self._old.dim,
            )
        else:
            if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
                raise UsageError(f"{self.folder} exists; choose another -o, or give --add")
            name = f".{self.folder.name[:64]}.{secrets.token_hex(8)}.tmp"
            self._work = self.folder.parent / name
            try:
                self._work.mkdir(parents=True)
            except OSError as error:
                raise OutputError(f"{self.folder}: cannot be written ({error.strerror})") from None
            self._old = Manifest(model_hash="", field=self._field, dim=0, tasks=self._tasks)
            self._distinct = Distinct(self._model, self._field)
        number = 1 + max((int(re.split("[-.]", n)[1]) for n in self._old.files), default=0)
        self._number = number
        # Written one after the other into the folder; the manifest names them at the end.
        self._files = contextlib.ExitStack()
        self._rows = _RowFiles(self._work, number)
        self._vector_file = self._open("vectors", "f16")
        self._key_file = self._open("keys", "bin")

    def _open(self, kind: str, suffix: str) -> BinaryIO:
        path = self._work / f"{kind}-{self._number:04d}.{suffix}"
        return self._files.enter_context(AtomicFile(path))

    def _require_same(self) -> None:
        old = self._old
        if old.field != self._field:
            raise UsageError(f"{self.folder} is of {old.field}, not {self._field}; see --field")
        if set(old.tasks) != set(self._tasks):
            listed = " ".join(f"--task {task}" for task in old.tasks) or "no --task"
            raise UsageError(f"{self.folder} carries other labels; add to it with {listed}")

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._stack:
            try:
                self._rows.__exit__(exc_type, exc, traceback)
                self._files.__exit__(exc_type, exc, traceback)
                if exc_type is None:
                    self._finish()
            except OSError as error:
                self._discard()
                reason = error.strerror or str(error)
                raise OutputError(f"{self.folder}: cannot be written ({reason})") from None
            except BaseException:
                self._discard()
                raise
            if exc_type is not None:
                self._discard()

    def _finish(self) -> None:
        if self._distinct.model_hash is None:
            raise InputError("no row to index", "the inputs")
        old = self._old
        written = sorted(p.name for p in self._work.glob(f"*-{self._number:04d}[-.]*"))
        files = old.files | {name: listing.entry(self._work / name) for name in written}
        now = msgspec.structs.replace(
            old,
            model_hash=self._distinct.model_hash,
            dim=self._distinct.dim,
            rows=old.rows + self.rows,
            vectors=len(self._distinct),
            files=files,
        )
        now = near.laid_out(self._work, now, self._number)
        listing.write(self._work, now)
        if self._add:
            for path in self._work.iterdir():  # what was replaced, and what a kill left behind
                if path.name not in now.files and path.name not in (listing.NAME, listing.LOCK):
                    path.unlink()
        else:
            os.rename(self._work, self.folder)
            _sync(self.folder.parent)

    def _discard(self) -> None:
        if not self._add:
            shutil.rmtree(self._work, ignore_errors=True)
            return
        for path in self._work.glob(f"*-{self._number:04d}[-.]*"):
            with contextlib.suppress(OSError):
                path.unlink()


class _RowFiles:
    """Rows as Parquet, a file for every run of one schema, in groups of one size."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder, self._number, self._count = folder, number, 0
        self._schema: pa.Schema | None = None
        self._held: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        """Append rows."""
        if self._schema is None or not table.schema.equals(self._schema):
            self._close()
            self._schema, self._count = table.schema, self._count + 1
            name = f"rows-{self._number:04d}-{self._count:06d}.parquet"
            self._file = AtomicFile(self._folder / name)
            self._writer: Any = pq.ParquetWriter(
                self._file.__enter__(), self._schema, compression="zstd"
            )
        self._held.append(table)
        if sum(held.num_rows for held in self._held) >= GROUP_ROWS:
            self._flush(whole=True)

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc_type is None:
            self._close()
        elif self._schema is not None:
            with contextlib.suppress(Exception):
                self._writer.close()
            self._file.__exit__(exc_type, exc, traceback)

    def _flush(self, *, whole: bool) -> None:
        table = pa.concat_tables(self._held)
        end = table.num_rows - table.num_rows % GROUP_ROWS if whole else table.num_rows
        if end:
            # In one piece, because pages would end where the tables do.
            self._writer.write_table(table.slice(0, end).combine_chunks(), GROUP_ROWS)
        self._held = [table.slice(end)]

    def _close(self) -> None:
        if self._schema is None:
            return
        self._flush(whole=False)
        self._held = []
        self._schema = None
        try:
            self._writer.close()
        except BaseException as error:
            self._file.__exit__(type(error), error, error.__traceback__)
            raise
        self._file.__exit__(None, None, None)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
