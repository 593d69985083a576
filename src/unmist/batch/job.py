"""A job: every input cut into parts, each annotated, written and recorded before the next."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import msgspec

from unmist.batch.annotate import Annotate
from unmist.batch.filling import Filling
from unmist.batch.folder import SUMMARY, dead_path, locked, open_job, part_path
from unmist.batch.manifest import Manifest, Part
from unmist.batch.parts import DeadLetters, HashedFile, open_part
from unmist.batch.plan import Input, Plan, Settings, change, display, identify
from unmist.batch.summary import Summary, require_balance, summarise
from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile
from unmist.io.records import CHUNK_ROWS, Chunk, Records, open_records

Report = Callable[[str], None]
Advance = Callable[[int, int, int], None]
"""Called with the rows and the bad rows that are done since the last call, and the part."""

_SKIP_ROWS: Final = 65_536


class StoppedError(Exception):
    """The job was asked to stop and did so between two chunks; running it again goes on."""


class Outcome(msgspec.Struct, frozen=True):
    """How a run ended.

    Attributes:
        summary: the job as it is now.
        written: parts that this run wrote; 0 when the job was finished before.
        finished_before: the job was finished already.
    """

    summary: Summary
    written: int
    finished_before: bool


def run_job(
    folder: Path,
    paths: Sequence[str],
    settings: Settings,
    annotate: Annotate,
    *,
    report: Report = lambda _: None,
    advance: Advance = lambda *_: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Begin a job or go on with it, to its end.

    Args:
        folder: the job folder.
        paths: the inputs, e.g. of :func:`unmist.batch.find_inputs`.
        settings: what to do; its tasks and ``embed`` must be those of ``annotate``.
        annotate: what does it; its text column does not matter.
        report: called with one line for every input that cannot be read.
        advance: called as rows are done.
        stopping: asked before every chunk whether to stop.

    Raises:
        UsageError: the folder holds another job, or the model lacks a task.
        OutputError: another process writes there, or the output cannot be written.
        ModelError: the model cannot be opened.
        StoppedError: ``stopping`` said so.
    """
    with locked(folder):
        plan = Plan(
            settings=settings,
            model_hash=annotate.model.hash,
            inputs=tuple(identify(path) for path in paths),
        )
        manifest = open_job(folder, plan)
        job = _Job(folder, plan, manifest, annotate, advance, stopping)
        before = (folder / SUMMARY).exists()
        done = len(manifest.parts)
        problems: dict[str, str] = {}
        for path, planned in zip(paths, plan.inputs, strict=True):
            try:
                job.run_input(path, planned)
            except (InputError, UsageError) as error:
                problems[planned.path] = str(error)
                report(str(error))
        summary = summarise(plan, manifest, problems)
        with AtomicFile(folder / SUMMARY) as file:
            file.write(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    written = len(manifest.parts) - done
    return Outcome(summary, written, before and not written and not problems)


class _Job:
    """One job while its folder is locked."""

    def __init__(
        self,
        folder: Path,
        plan: Plan,
        manifest: Manifest,
        annotate: Annotate,
        advance: Advance,
        stopping: Callable[[], bool],
    ) -> None:
        self._folder, self._settings, self._manifest = folder, plan.settings, manifest
        self._annotate, self._advance, self._stopping = annotate, advance, stopping
        # Asked now, so that a task which the model lacks is not taken for an input's fault.
        fields = [annotate.model.field_of(task) for task in annotate.tasks]
        self._field = fields[0]

    def run_input(self, path: str, planned: Input) -> None:
        """Write the parts of one input that are not finished yet.

        Raises:
            InputError, UsageError: it cannot be read to its end; finished parts stay.
        """
        self._stop_if_asked()
        if planned.problem is not None:
            raise InputError(f"cannot be opened ({planned.problem})", planned.path)
        done = self._manifest.of(planned.path)
        if done and done[-1].end:
            return
        settings = self._settings
        with open_records(
            path, format=settings.format, column=settings.column, field=self._field
        ) as records:
            self._skip(records, done, planned)
            annotate = self._annotate.on(records.text_column)
            more = True
            while more:
                more = self._write_part(records, annotate, path, planned)
        self._require_unchanged(path, planned)

    def _skip(self, records: Records, done: Sequence[Part], planned: Input) -> None:
        left = sum(part.rows + part.bad for part in done)
        while left:
            self._stop_if_asked()
            records.skip(min(left, _SKIP_ROWS))
            left -= min(left, _SKIP_ROWS)
        if done and records.position != done[-1].last:
            raise InputError("reads otherwise than when its first parts were made", planned.path)

    def _write_part(self, records: Records, annotate: Annotate, path: str, planned: Input) -> bool:
        """Write, check and record the next part; False when the input has ended."""
        self._stop_if_asked()
        chunk = records.take(min(self._settings.part_rows, CHUNK_ROWS))
        if chunk is None:
            return False
        number = self._manifest.next_number
        done = self._manifest.of(planned.path)
        before = done[-1].last if done else 0
        # The dead letters come last here, because they are closed and put in place first.
        with (
            AtomicFile(part_path(self._folder, number, self._settings.to)) as raw,
            DeadLetters(dead_path(self._folder, number)) as dead,
        ):
            file = HashedFile(raw)
            with open_part(file, self._settings.to) as writer:
                filling = Filling(annotate, writer, dead, planned.path)
                end = self._fill(filling, records, chunk, number)
            part = Part(
                part=number,
                input=planned.path,
                first=before + 1,
                last=records.position,
                rows=filling.rows,
                bad=dead.count,
                filtered=filling.filtered,
                bytes=file.size,
                sha256=file.sha256,
                end=end,
            )
            require_balance(part, before)
            # Rows of a file that changed meanwhile may be of no file that ever was.
            self._require_unchanged(path, planned)
        self._manifest.append(part)
        return not end

    def _fill(self, filling: Filling, records: Records, chunk: Chunk | None, number: int) -> bool:
        """Add chunks up to the size of a part, beginning with this one; True at the input's end."""
        left = self._settings.part_rows
        while chunk is not None:
            self._stop_if_asked()
            rows, bad = filling.add(chunk)
            self._advance(rows, bad, number)
            left -= rows + bad
            if chunk.end or not left:
                return chunk.end
            chunk = records.take(min(left, CHUNK_ROWS))
        return True

    def _stop_if_asked(self) -> None:
        if self._stopping():
            raise StoppedError

    def _require_unchanged(self, path: str, planned: Input) -> None:
        now = identify(path)
        if now != planned:
            how = change(planned, now)
            raise InputError(
                f"changed while it was read ({how}); the part in work was thrown away. "
                "Run again with another -o when it is at rest",
                display(path),
            )
