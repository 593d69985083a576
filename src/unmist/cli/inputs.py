"""What the verbs that read rows share: their options, and reading inputs in chunks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from unmist.errors import InputError, UsageError

if TYPE_CHECKING:  # help must not pay for the readers or the model
    from unmist.io import Row
    from unmist.model import Model

CHUNK_ROWS: Final = 4096
# The same names as unmist.io.FORMATS, repeated because importing it is too slow for help.
FORMATS: Final = ("auto", "lines", "zeek", "eve", "csv", "jsonl", "parquet")

_F = TypeVar("_F", bound=Callable[..., Any])


def input_options(function: _F) -> _F:
    """Add ``INPUT...``, ``--format`` and ``--column``."""
    function = click.option(
        "--column",
        metavar="C",
        help="Column or key that holds the text, where the format has several.",
    )(function)
    function = click.option(
        "--format",
        "format_",
        type=click.Choice(FORMATS),
        default="auto",
        show_default=True,
        help="How the inputs are written; auto looks at their name and first bytes.",
    )(function)
    return click.argument("inputs", nargs=-1, metavar="[INPUT]...")(function)


def model_option(function: _F) -> _F:
    """Add ``--model``."""
    return click.option(
        "--model",
        "model_path",
        metavar="MODEL",
        type=click.Path(path_type=Path),
        envvar="UNMIST_MODEL",
        show_envvar=True,
        help="Model folder, or edge for the smallest that unmist ships. Default: small.",
    )(function)


def adapter_option(function: _F) -> _F:
    """Add ``--adapter``; the verb gets ``adapters``."""
    return click.option(
        "--adapter",
        "adapters",
        metavar="DIR",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Specialist beside the model's own, made by 'unmist train'; may be given again.",
    )(function)


def group_option(function: _F) -> _F:
    """Add ``--group``."""
    return click.option(
        "--group",
        metavar="COL",
        help="Column that says which rows belong together; never split apart. "
        "Default: the registrable domain of hostnames and URLs, near-equal texts of other fields.",
    )(function)


def written_adapter_option(function: _F) -> _F:
    """Add ``-o`` for a verb that writes an adapter folder; the verb gets ``output``."""
    return click.option(
        "-o",
        "--output",
        required=True,
        metavar="ADAPTER",
        type=click.Path(path_type=Path),
        help="Adapter folder to write; its name becomes the task's.",
    )(function)


def use_it(adapter: Path, task: str, model: Path | None) -> str:
    """The command that asks a specialist which was just written."""
    which = "" if model is None else f" --model {model}"
    return f"unmist classify{which} --adapter {adapter} --task {task}"


def output_option(help_: str) -> Callable[[_F], _F]:
    """Add ``-o``; the verb gets ``out``, which is ``None`` for standard output, also as ``-``."""
    return click.option(
        "-o",
        "--output",
        "out",
        metavar="OUT",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        callback=lambda _ctx, _param, out: None if out == Path("-") else out,
        help=help_,
    )


def run_options(function: _F) -> _F:
    """Add ``--threads`` and ``--quiet``."""
    function = click.option(
        "--quiet", "-q", is_flag=True, help="No progress and no summary on standard error."
    )(function)
    return click.option(
        "--threads",
        type=click.IntRange(min=1),
        metavar="N",
        help="CPU threads for the network. Default: all cores.",
    )(function)


def open_model(
    path: Path | None,
    threads: int | None = None,
    adapters: Sequence[Path] = (),
    *,
    cache: int | None = None,
    precision: str = "auto",
) -> Model:
    """Load the model folder, or the shipped one, with specialists that lie elsewhere.

    ``cache`` is the number of answers to keep; None for the library's own choice. ``precision`` is
    that of :func:`unmist.load`.
    """
    from unmist.cache import ENTRIES
    from unmist.model import load

    cache = ENTRIES if cache is None else cache
    return load(path, adapters=adapters, threads=threads, precision=precision, cache=cache)


def require_task(model: Model, task: str) -> None:
    """Refuse a task that the model has not learnt, before anything is read."""
    if task not in model.tasks:
        known = ", ".join(model.tasks) or "none"
        raise UsageError(f"no task '{task}' in this model; its tasks: {known}")


def one_field(model: Model, tasks: Sequence[str], or_else: str = "") -> str:
    """The field kind that rows are read as, which must be that of all tasks, one at least.

    ``or_else`` is what else the user may do where it is not.

    Raises:
        UsageError: the model lacks a task, or two of them read different kinds.
    """
    for task in tasks:
        require_task(model, task)
    fields = list(dict.fromkeys(model.field_of(task) for task in tasks))
    if len(fields) > 1:
        other = next(task for task in tasks if model.field_of(task) != fields[0])
        raise click.UsageError(
            f"--task {tasks[0]} reads {fields[0]}, --task {other} reads {fields[1]}: ask about one "
            f"kind at a time{or_else}."
        )
    return fields[0]


def require_field(field: str) -> None:
    """Refuse a field kind that there is not, before anything is read."""
    from unmist.text import FIELDS

    if field not in FIELDS:
        raise UsageError(f"no field kind '{field}'; there are: {', '.join(FIELDS)}")


def require_input(inputs: tuple[str, ...]) -> tuple[str, ...]:
    """The inputs to read: those named, else standard input unless a person sits at it."""
    if inputs:
        return inputs
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError(
            "No INPUT, and standard input is a terminal. Name a file, pipe rows in, "
            "or give '-' to type them."
        )
    return ("-",)


class RowReader:
    """Rows of several inputs, in order. An input that cannot be read costs only itself.

    Args:
        inputs: file names; ``-`` is standard input.
        format_: one of :data:`FORMATS`.
        column: column or key of the text, or ``None``.
        field: field kind that the rows are wanted as.
        report: called with one line for every input that cannot be read.
    """

    def __init__(
        self,
        inputs: tuple[str, ...],
        *,
        format_: str,
        column: str | None,
        field: str,
        report: Callable[[str], None],
    ) -> None:
        from unmist.io import ReadCounts

        self.inputs = inputs
        self.counts = ReadCounts()
        self.rows = 0
        self.unreadable: list[str] = []
        self._format = format_
        self._column = column
        self._field = field
        self._report = report

    def chunks(self) -> Iterator[list[Row]]:
        """The rows in lists of at most :data:`CHUNK_ROWS`, so memory stays constant."""
        rows = self._all_rows()
        while chunk := list(islice(rows, CHUNK_ROWS)):
            self.rows += len(chunk)
            yield chunk

    @property
    def nothing_readable(self) -> bool:
        """Whether every input failed before its first row."""
        return self.rows == 0 and len(self.unreadable) == len(self.inputs)

    def _all_rows(self) -> Iterator[Row]:
        from unmist.io import open_rows

        for source in self.inputs:
            try:
                yield from open_rows(
                    source,
                    format=self._format,
                    column=self._column,
                    field=self._field,
                    counts=self.counts,
                )
            except (InputError, UsageError) as error:
                self._fail(source, str(error))
            except OSError as error:
                self._fail(source, f"{source}: {error.strerror or type(error).__name__}")

    def _fail(self, source: str, message: str) -> None:
        self.unreadable.append(source)
        self._report(message)
