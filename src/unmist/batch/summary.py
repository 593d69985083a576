"""What a job amounted to, input by input, and that no row is missing or there twice."""

from collections.abc import Mapping

import msgspec

from unmist.batch.manifest import Manifest, Part
from unmist.batch.plan import Plan
from unmist.errors import UnmistError


class InputSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The finished parts of one input; ``rows_in == rows_out + dead + filtered``.

    Attributes:
        path: as in ``job.json``.
        rows_in: records read, by the reader's own count.
        rows_out: rows in the parts.
        dead: dead letters.
        filtered: records that hold nothing of the wanted kind.
        parts: finished parts.
        problem: why the input could not be read to its end, else ``None``.
    """

    path: str
    rows_in: int
    rows_out: int
    dead: int
    filtered: int
    parts: int
    problem: str | None


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """All inputs together; ``summary.json``. The same however often the job was stopped."""

    finished: bool
    rows_in: int
    rows_out: int
    dead: int
    filtered: int
    parts: int
    tasks: tuple[str, ...]
    model_hash: str
    inputs: tuple[InputSummary, ...]

    @property
    def unreadable(self) -> int:
        """Inputs that could not be read to their end."""
        return sum(entry.problem is not None for entry in self.inputs)


def summarise(plan: Plan, manifest: Manifest, problems: Mapping[str, str]) -> Summary:
    """The summary of the finished parts.

    Args:
        plan: the job.
        manifest: its finished parts.
        problems: path of an input to why it could not be read to its end.

    Raises:
        UnmistError: the rows do not balance, or the parts of an input do not follow each other.
    """
    inputs = [
        _summarise(entry.path, manifest.of(entry.path), problems.get(entry.path))
        for entry in plan.inputs
    ]
    return Summary(
        finished=not problems,
        rows_in=sum(entry.rows_in for entry in inputs),
        rows_out=sum(entry.rows_out for entry in inputs),
        dead=sum(entry.dead for entry in inputs),
        filtered=sum(entry.filtered for entry in inputs),
        parts=len(manifest.parts),
        tasks=plan.settings.tasks,
        model_hash=plan.model_hash,
        inputs=tuple(inputs),
    )


def require_balance(part: Part, after: int) -> None:
    """Refuse a part whose rows do not add up, or that does not follow record ``after``.

    Raises:
        UnmistError: it does not balance, which is a defect of unmist.
    """
    seen = part.rows + part.bad + part.filtered
    if part.first != after + 1 or part.last - after != seen:
        raise UnmistError(
            f"{part.input}: records {after + 1} to {part.last} do not balance with {part.rows} "
            f"rows, {part.bad} bad and {part.filtered} filtered; this is a defect, please report it"
        )


def _summarise(path: str, parts: list[Part], problem: str | None) -> InputSummary:
    last = 0
    for part in parts:
        require_balance(part, last)
        last = part.last
    return InputSummary(
        path=path,
        rows_in=last,
        rows_out=sum(part.rows for part in parts),
        dead=sum(part.bad for part in parts),
        filtered=sum(part.filtered for part in parts),
        parts=len(parts),
        problem=problem,
    )
