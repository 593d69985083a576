"""Where verdicts go: a table, lines of JSON or one JSON document; to a file or standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, Protocol

import click

from unmist.cli.tables import VerdictTable, standard_output

if TYPE_CHECKING:
    from unmist.cli.summary import Summary
    from unmist.io import Producer
    from unmist.model import Model
    from unmist.verdict import Verdict

Kind = Literal["table", "jsonl", "json", "ocsf", "ecs"]
KINDS: Final[tuple[Kind, ...]] = ("table", "jsonl", "json", "ocsf", "ecs")
LINE_KINDS: Final[tuple[Kind, ...]] = ("jsonl", "ocsf", "ecs")

_KIND_OF_SUFFIX: Final[dict[str, Kind]] = {".jsonl": "jsonl", ".json": "json"}


class Sink(Protocol):
    """Takes the verdicts of a run in order, then its summary."""

    def write(self, verdict: Verdict) -> None:
        """Take one verdict."""

    def flush(self) -> None:
        """Pass on what is buffered, so that a reader sees whole chunks."""

    def finish(self, summary: Summary) -> None:
        """Close the document, if it is one."""


class TableSink(VerdictTable):
    """The table for people; its summary goes to standard error."""

    def finish(self, summary: Summary) -> None:
        """A table has no end mark."""
        self.flush()


class LineSink:
    """One JSON object a line: the verdict, or with ``shape`` what that makes of it."""

    def __init__(self, stream: BinaryIO, shape: Callable[[Verdict], object] | None = None) -> None:
        from unmist.io import VerdictWriter

        self._writer = VerdictWriter(stream, shape)

    def write(self, verdict: Verdict) -> None:
        """Write one line."""
        self._writer.write(verdict)

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._writer.flush()

    def finish(self, summary: Summary) -> None:
        """A stream of lines has no end mark."""
        self.flush()


class DocumentSink:
    """``{"verdicts": [...], "summary": {...}}``, written as it comes; memory stays constant."""

    def __init__(self, stream: BinaryIO) -> None:
        import msgspec

        self._stream = stream
        self._encode = msgspec.json.Encoder().encode
        self._before = b'{"verdicts": [\n'

    def write(self, verdict: Verdict) -> None:
        """Append to ``verdicts``."""
        self._stream.write(self._before + self._encode(verdict))
        self._before = b",\n"

    def flush(self) -> None:
        """Pass on what is buffered."""
        self._stream.flush()

    def finish(self, summary: Summary) -> None:
        """Close ``verdicts`` and add ``summary``."""
        opening = b"" if self._before == b",\n" else self._before
        closing = b'\n],\n"summary": ' + self._encode(summary.as_dict()) + b"}\n"
        self._stream.write(opening + closing)
        self.flush()


def choose_kind(
    out: Path | None, *, as_json: bool, as_jsonl: bool, output_format: Kind | None
) -> Kind:
    """The shape that the flags ask for, else the one that the output's suffix means."""
    if as_json + as_jsonl + (output_format is not None) > 1:
        raise click.UsageError("--json, --jsonl and --output-format exclude each other.")
    if output_format == "table" and out is not None:
        raise click.UsageError("A table goes to standard output only; leave out -o.")
    if output_format is not None:
        return output_format
    if as_json or as_jsonl:
        return "json" if as_json else "jsonl"
    if out is None:
        return "table"
    suffix = out.suffix.lower()
    if suffix not in _KIND_OF_SUFFIX:
        raise click.UsageError(
            f"Cannot tell from '{out}' what to write: name it .jsonl or .json, "
            "or give --jsonl, --json or --output-format."
        )
    return _KIND_OF_SUFFIX[suffix]


@contextmanager
def open_sink(out: Path | None, kind: Kind, model: Model, tasks: tuple[str, ...]) -> Iterator[Sink]:
    """A sink on ``out`` or standard output; ``out`` appears only once all of it is written.

    ``tasks`` are those asked about; none for whatever a row is.
    """
    if kind == "table":
        asked = tasks or model.tasks
        labels = [label for task in asked for label in model.labels(task)]
        yield TableSink(standard_output(), labels, () if len(tasks) == 1 else asked)
        return
    if out is None:
        yield _sink_on(sys.stdout.buffer, kind, model)
        return
    from unmist.io import AtomicFile

    with AtomicFile(out) as stream:
        yield _sink_on(stream, kind, model)


def line_sink(stream: BinaryIO, kind: Kind, model: Model) -> LineSink:
    """A sink for one of :data:`LINE_KINDS`."""
    from unmist.io import event_shape

    if kind == "ocsf" or kind == "ecs":
        return LineSink(stream, event_shape(kind, _producer(model)))
    return LineSink(stream)


def _sink_on(stream: BinaryIO, kind: Kind, model: Model) -> Sink:
    return DocumentSink(stream) if kind == "json" else line_sink(stream, kind, model)


def _producer(model: Model) -> Producer:
    from importlib.metadata import PackageNotFoundError, version

    from unmist.io import Producer

    try:
        ours = version("unmist")
    except PackageNotFoundError:
        ours = "unknown"
    info = model.info()
    return Producer(ours, info["name"], info["version"], model.hash)
