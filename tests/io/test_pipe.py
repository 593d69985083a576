"""Following a pipe."""

import io
import os
import time

import pytest

from unmist.io import PipeFollower
from unmist.io.pieces import Piece


@pytest.fixture
def pipe():
    """A follower and the descriptor of its writer, which the test closes."""
    ours, theirs = os.pipe()
    with open(ours, "rb", buffering=0) as stream:
        yield PipeFollower(stream), theirs


def test_lines_come_as_they_are_written(pipe: tuple[PipeFollower, int]) -> None:
    follower, writer = pipe
    assert follower.read() is None
    os.write(writer, b"a\nb\nhal")
    assert follower.read() == Piece(b"a\nb\n", 1, b"a\nb\n")
    assert follower.read() is None
    os.write(writer, b"f\n")
    assert follower.read() == Piece(b"half\n", 3, None)
    os.write(writer, b"last")
    os.close(writer)
    assert follower.read() == Piece(b"last", 4, None)
    assert follower.ended
    assert follower.read() is None
    assert follower.position is None


def test_waiting_ends_when_something_comes(pipe: tuple[PipeFollower, int]) -> None:
    follower, writer = pipe
    assert not follower.wait(0.01)
    os.write(writer, b"a")
    start = time.monotonic()
    assert follower.wait(60)
    assert time.monotonic() - start < 30
    os.close(writer)


def test_a_stream_in_memory() -> None:
    follower = PipeFollower(io.BytesIO(b"a\nb"))
    assert follower.wait(60)
    assert [follower.read(), follower.read()] == [
        Piece(b"a\n", 1, b"a\n"),
        Piece(b"b", 2, None),
    ]
    assert follower.ended
