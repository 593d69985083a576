"""Input and output: any log in as rows, verdicts and vectors out."""

from unmist.io.row import MAX_LINE_BYTES, MAX_TEXT_BYTES, ReadCounts, Row
from unmist.io.sinks import AtomicFile, VerdictWriter
from unmist.io.source import FORMATS, open_rows
from unmist.io.vectors import write_vectors

__all__ = [
    "FORMATS",
    "MAX_LINE_BYTES",
    "MAX_TEXT_BYTES",
    "AtomicFile",
    "ReadCounts",
    "Row",
    "VerdictWriter",
    "open_rows",
    "write_vectors",
]
