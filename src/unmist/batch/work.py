"""What goes from the reader of a job to its writer, and what answers it on the way."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pyarrow as pa

from unmist.batch.annotate import Annotate
from unmist.io.records import Chunk


class StoppedError(Exception):
    """The job was asked to stop and did so between two steps; running it again goes on."""


class Piece(NamedTuple):
    """A chunk of one part.

    Attributes:
        source: place of its input in the plan.
        chunk: the records.
        text_column: the column of the chunk that holds the texts.
        position: records of the input that have gone by with it.
        opens: a part begins with it.
        closes: a part ends with it.
        gained: share of the whole job that was read for it.
        left: share of the whole job that is still to be read.
    """

    source: int
    chunk: Chunk
    text_column: str
    position: int
    opens: bool
    closes: bool
    gained: float
    left: float

    @property
    def texts(self) -> pa.ChunkedArray:
        """The texts of the good rows."""
        return self.chunk.table.column(self.text_column)


class Unreadable(NamedTuple):
    """An input, by its place in the plan, that cannot be read to its end, and why."""

    source: int
    message: str


Answered = tuple[Piece, pa.Table]
Annotator = Callable[[Annotate, Iterator[Piece | Unreadable]], Iterator[Answered | Unreadable]]
"""Answers pieces in order. The answers of a part depend on the rows of that part alone."""


def annotate_here(
    annotate: Annotate, pieces: Iterator[Piece | Unreadable]
) -> Iterator[Answered | Unreadable]:
    """The annotator that uses this process: one piece at a time."""
    for piece in pieces:
        if isinstance(piece, Unreadable):
            yield piece
            continue
        if piece.opens:
            # Or the last bits of an answer would tell what was asked before a restart.
            annotate.forget()
        yield piece, annotate.answers(piece.texts)
