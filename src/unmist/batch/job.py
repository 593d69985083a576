"""A job: inputs in, parts out, from where it stands to its end."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from unmist.batch.annotate import Annotate
from unmist.batch.folder import SUMMARY, locked, open_job
from unmist.batch.plan import Plan, Settings, identify
from unmist.batch.reading import Reader
from unmist.batch.summary import Summary, summarise
from unmist.batch.work import Annotator, Answered, StoppedError, Unreadable, annotate_here
from unmist.batch.writing import Writer
from unmist.errors import InputError
from unmist.io import AtomicFile

Report = Callable[[str], None]


class Step(msgspec.Struct, frozen=True):
    """What was done since the last step.

    Attributes:
        rows: good rows.
        bad: bad rows.
        part: number of the part they went to.
        gained: share of the whole job that it was.
        left: share of the whole job that is left.
    """

    rows: int
    bad: int
    part: int
    gained: float
    left: float


Advance = Callable[[Step], None]


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
    annotator: Annotator = annotate_here,
    report: Report = lambda _: None,
    advance: Advance = lambda _: None,
    stopping: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Begin a job or go on with it, to its end.

    Args:
        folder: the job folder.
        paths: the inputs, e.g. of :func:`unmist.batch.find_inputs`.
        settings: what to do; its tasks and ``embed`` must be those of ``annotate``.
        annotate: what does it; its text column does not matter.
        annotator: where it is done; here, unless said otherwise.
        report: called with one line for every input that cannot be read.
        advance: called as rows are done.
        stopping: asked before every chunk whether to stop.

    Raises:
        UsageError: the folder holds another job, or the model lacks a task.
        OutputError: another process writes there, or the output cannot be written.
        ModelError: the model cannot be opened.
        StoppedError: ``stopping`` said so.
    """

    def check() -> None:
        if stopping():
            raise StoppedError

    with locked(folder):
        plan = Plan(
            settings=settings,
            model_hash=annotate.model.hash,
            inputs=tuple(identify(path) for path in paths),
        )
        manifest = open_job(folder, plan)
        before, done = (folder / SUMMARY).exists(), len(manifest.parts)
        reader = Reader(plan, paths, manifest, annotate, check)
        problems: dict[int, str] = {}
        with Writer(folder, plan, paths, manifest) as writer:
            for source, message in _unreadable(
                annotator(annotate, reader.pieces()), writer, advance, check
            ):
                reader.give_up(source)
                problems[source] = message
                report(message)
        named = {plan.inputs[source].path: message for source, message in problems.items()}
        summary = summarise(plan, manifest, named)
        with AtomicFile(folder / SUMMARY) as file:
            file.write(msgspec.json.format(msgspec.json.encode(summary)) + b"\n")
    written = len(manifest.parts) - done
    return Outcome(summary, written, before and not written and not problems)


def _unreadable(
    answered: Iterator[Answered | Unreadable],
    writer: Writer,
    advance: Advance,
    check: Callable[[], None],
) -> Iterator[Unreadable]:
    """Write everything; the inputs that could not be read to their end, each once."""
    failed: set[int] = set()
    for found in answered:
        check()
        if isinstance(found, Unreadable):
            writer.drop()
            if found.source not in failed:
                failed.add(found.source)
                yield found
            continue
        piece, answers = found
        if piece.source in failed:
            continue  # read ahead before the input was found to have changed
        number = writer.number
        try:
            rows, bad = writer.add(piece, answers)
        except InputError as error:
            failed.add(piece.source)
            yield Unreadable(piece.source, str(error))
        else:
            advance(Step(rows, bad, number, piece.gained, piece.left))
