"""Input and output: any log in as rows, verdicts and vectors out."""

from unmist.io.bookmark import load_bookmark, save_bookmark
from unmist.io.events import EventFormat, event_shape
from unmist.io.follow import FileFollower
from unmist.io.live import LIVE_FORMATS, LiveReader
from unmist.io.pieces import Follower, Piece, Position
from unmist.io.pipe import PipeFollower
from unmist.io.producer import Producer
from unmist.io.row import MAX_LINE_BYTES, MAX_TEXT_BYTES, ReadCounts, Row
from unmist.io.sinks import AtomicFile, VerdictWriter
from unmist.io.source import FORMATS, open_rows
from unmist.io.vectors import write_vectors

__all__ = [
    "FORMATS",
    "LIVE_FORMATS",
    "MAX_LINE_BYTES",
    "MAX_TEXT_BYTES",
    "AtomicFile",
    "EventFormat",
    "FileFollower",
    "Follower",
    "LiveReader",
    "Piece",
    "PipeFollower",
    "Position",
    "Producer",
    "ReadCounts",
    "Row",
    "VerdictWriter",
    "event_shape",
    "load_bookmark",
    "open_rows",
    "save_bookmark",
    "write_vectors",
]
