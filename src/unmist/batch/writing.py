"""The output of a job: part after part, each whole, checked and recorded before the next."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType

import pyarrow as pa

from unmist.batch.filling import Filling
from unmist.batch.folder import dead_path, part_path
from unmist.batch.manifest import Manifest, Part
from unmist.batch.parts import DeadLetters, HashedFile, open_part
from unmist.batch.plan import Plan, require_unchanged
from unmist.batch.summary import require_balance
from unmist.batch.work import Piece
from unmist.io import AtomicFile


class _DroppedError(Exception):
    """Goes through the files of a part that is thrown away."""


class Writer:
    """Takes answered pieces in order. A context manager: what is not finished is thrown away.

    Args:
        folder: the job folder, locked.
        plan: the job.
        paths: its inputs.
        manifest: gets a line for every part that is finished.
    """

    def __init__(self, folder: Path, plan: Plan, paths: Sequence[str], manifest: Manifest) -> None:
        self._folder, self._plan, self._paths, self._manifest = folder, plan, paths, manifest
        self._stack = contextlib.ExitStack()
        self._filling: Filling | None = None

    def __enter__(self) -> "Writer":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.__exit__(exc_type, exc, traceback)

    @property
    def number(self) -> int:
        """Number of the part in work, or of the next one."""
        return self._manifest.next_number

    def add(self, piece: Piece, answers: pa.Table) -> tuple[int, int]:
        """Write a piece; its good and its bad rows.

        Raises:
            InputError: the input has changed; the part is thrown away.
            OutputError: the output cannot be written.
        """
        if self._filling is None:
            self._filling = self._stack.enter_context(self._part(piece.source))
        counts = self._filling.add(piece, answers)
        if piece.closes:
            self._filling = None
            self._stack.close()
        return counts

    def drop(self) -> None:
        """Throw the part in work away, if there is one."""
        self._filling = None
        self._stack.__exit__(_DroppedError, _DroppedError(), None)

    @contextlib.contextmanager
    def _part(self, source: int) -> Iterator[Filling]:
        """A part to be filled; written to the disk and recorded at the end."""
        plan, planned, number = self._plan, self._plan.inputs[source], self._manifest.next_number
        done = self._manifest.of(planned.path)
        before = done[-1].last if done else 0
        # The dead letters come last here, because they are closed and put in place first.
        with (
            AtomicFile(part_path(self._folder, number, plan.settings.to)) as raw,
            DeadLetters(dead_path(self._folder, number)) as dead,
        ):
            file = HashedFile(raw)
            with open_part(file, plan.settings.to) as writer:
                tasks = plan.settings.tasks
                filling = Filling(writer, dead, planned.path, tasks, plan.model_hash)
                yield filling
            part = Part(
                part=number,
                input=planned.path,
                first=before + 1,
                last=filling.last,
                offset=filling.offset,
                rows=filling.rows,
                bad=dead.count,
                filtered=filling.filtered,
                bytes=file.size,
                sha256=file.sha256,
                end=filling.end,
            )
            require_balance(part, before)
            # Rows of a file that changed meanwhile may be of no file that ever was.
            require_unchanged(self._paths[source], planned)
        self._manifest.append(part)
