"""The inputs of a job as pieces: what is done already is passed over, the rest cut into parts."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from unmist.batch.annotate import Annotate
from unmist.batch.manifest import Manifest, Part
from unmist.batch.plan import Input, Plan, require_unchanged
from unmist.batch.work import Piece, Unreadable
from unmist.errors import InputError, UsageError
from unmist.io.records import CHUNK_ROWS, Chunk, Records, open_records

_SKIP_ROWS: Final = 65_536


class Reader:
    """Reads the inputs one after the other; one that cannot be read costs only itself.

    Args:
        plan: the job.
        paths: its inputs.
        manifest: the parts that are finished as the reading begins.
        annotate: says which tables can be annotated and which kind of text is wanted.
        check: called before every step; may raise to end the reading.
    """

    def __init__(
        self,
        plan: Plan,
        paths: Sequence[str],
        manifest: Manifest,
        annotate: Annotate,
        check: Callable[[], None],
    ) -> None:
        self._settings, self._annotate, self._check = plan.settings, annotate, check
        self._inputs = list(zip(paths, plan.inputs, strict=True))
        self._done = {entry.path: list(manifest.of(entry.path)) for entry in plan.inputs}
        self._bytes = max(sum(entry.size for entry in plan.inputs), 1)
        self._left = 1.0
        self._given_up: set[int] = set()
        # Asked now, so that a task which the model lacks is not taken for an input's fault.
        fields = [annotate.model.field_of(task) for task in annotate.tasks]
        self._field = fields[0]

    def give_up(self, source: int) -> None:
        """Read no further in an input."""
        self._given_up.add(source)

    def pieces(self) -> Iterator[Piece | Unreadable]:
        """Every piece that is still to be done, in order."""
        after = 1.0
        for source, (path, planned) in enumerate(self._inputs):
            after -= planned.size / self._bytes
            try:
                yield from self._input(source, path, planned)
            except (InputError, UsageError) as error:
                yield Unreadable(source, str(error))
            self._left = after

    def _input(self, source: int, path: str, planned: Input) -> Iterator[Piece]:
        self._check()
        if planned.problem is not None:
            raise InputError(f"cannot be opened ({planned.problem})", planned.path)
        done = self._done[planned.path]
        if done and done[-1].end:
            return
        settings, before = self._settings, self._left
        with open_records(
            path, format=settings.format, column=settings.column, field=self._field
        ) as records:
            self._skip(records, done, planned)
            for chunk, opens, closes in self._parts(records):
                share = records.share(planned.size) * planned.size / self._bytes
                left = max(before - share, 0.0)
                gained, self._left = max(self._left - left, 0.0), left
                column, position = records.text_column, records.position
                yield Piece(source, chunk, column, position, opens, closes, gained, left)
                if source in self._given_up:
                    return
        require_unchanged(path, planned)

    def _skip(self, records: Records, done: Sequence[Part], planned: Input) -> None:
        left = sum(part.rows + part.bad for part in done)
        while left:
            self._check()
            records.skip(min(left, _SKIP_ROWS))
            left -= min(left, _SKIP_ROWS)
        if done and records.position != done[-1].last:
            raise InputError("reads otherwise than when its first parts were made", planned.path)

    def _parts(self, records: Records) -> Iterator[tuple[Chunk, bool, bool]]:
        """Chunks, with whether a part begins and whether it ends with each."""
        left = part_rows = self._settings.part_rows
        last: Chunk | None = None
        while last is None or not last.end:
            self._check()
            chunk = records.take(min(left, CHUNK_ROWS))
            if chunk is None:
                if last is None or left == part_rows:
                    return
                chunk = Chunk(last.table.slice(0, 0), [], [], [], 0, 0, True)
            elif last is None:
                self._annotate.check(chunk.table.schema, records.text_column)
            opens = left == part_rows
            left -= len(chunk.lines) + len(chunk.bad)
            closes = chunk.end or not left
            yield chunk, opens, closes
            left = part_rows if closes else left
            last = chunk
