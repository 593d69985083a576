"""Following a file: every line once and whole, whatever happens to the name."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.errors import InputError
from unmist.io import FileFollower, Position
from unmist.io.pieces import PIECE_BYTES
from unmist.io.row import MAX_LINE_BYTES


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "dns.log"


def add(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def lines(follower: FileFollower) -> list[tuple[int, bytes]]:
    """What comes until nothing comes any more, as (line number, line); looks twice."""
    found = []
    for _ in range(2):
        while piece := follower.read():
            whole = piece.data.removesuffix(b"\n").split(b"\n")
            found += list(enumerate(whole, start=piece.line))
    return found


@pytest.fixture
def follow(log: Path) -> Iterator[FileFollower]:
    follower = FileFollower(str(log), from_start=True)
    yield follower
    follower.close()


def test_lines_come_as_they_are_written(follow: FileFollower, log: Path) -> None:
    assert lines(follow) == []
    assert follow.missing
    add(log, b"a\nb\n")
    assert lines(follow) == [(1, b"a"), (2, b"b")]
    assert not follow.missing
    assert lines(follow) == []
    add(log, b"c\n")
    assert lines(follow) == [(3, b"c")]


def test_it_begins_after_what_is_there(log: Path) -> None:
    add(log, b"old\nold\nhal")
    follower = FileFollower(str(log))
    assert lines(follower) == []
    add(log, b"f\nnew\n")
    assert lines(follower) == [(3, b"half"), (4, b"new")]
    follower.close()


def test_a_file_that_appears_later_is_read_from_its_start(log: Path) -> None:
    follower = FileFollower(str(log))
    assert lines(follower) == []
    add(log, b"a\n")
    assert lines(follower) == [(1, b"a")]
    follower.close()


def test_a_line_waits_for_its_newline(follow: FileFollower, log: Path) -> None:
    add(log, b"a\nexample.co")
    assert lines(follow) == [(1, b"a")]
    add(log, b"m")
    assert lines(follow) == []
    add(log, b"\r\n\n")
    assert lines(follow) == [(2, b"example.com\r"), (3, b"")]


def test_the_opening_comes_with_the_first_piece_only(follow: FileFollower, log: Path) -> None:
    add(log, b"#head\nrow\n")
    first = follow.read()
    assert first is not None
    assert (first.line, first.opening) == (1, b"#head\nrow\n")
    add(log, b"row\n")
    second = follow.read()
    assert second is not None
    assert second.opening is None


def test_rename_and_recreate(follow: FileFollower, log: Path) -> None:
    add(log, b"a\n")
    assert lines(follow) == [(1, b"a")]
    old = log.rename(log.with_suffix(".1"))
    add(old, b"late\n")
    assert lines(follow) == [(2, b"late")]
    add(log, b"new\n")
    assert lines(follow) == [(1, b"new")]
    add(old, b"too late\n")
    add(log, b"newer\n")
    assert lines(follow) == [(2, b"newer")]


def test_the_old_file_is_read_to_its_end_first(follow: FileFollower, log: Path) -> None:
    add(log, b"a\n")
    assert follow.read() is not None
    add(log, b"b\n")
    old = log.rename(log.with_suffix(".1"))
    add(log, b"new\n")
    assert follow.read() == (b"b\n", 2, None)
    assert follow.read() is None  # its writer may not have noticed yet
    add(old, b"c\nno newline")
    assert follow.read() == (b"c\n", 3, None)
    assert follow.read() is None
    assert follow.read() == (b"no newline", 4, None)
    assert follow.read() == (b"new\n", 1, b"new\n")


@pytest.mark.parametrize("after", [b"x\n", b"x\ny\nlonger than before\n"])
def test_truncation(log: Path, after: bytes) -> None:
    said: list[str] = []
    follower = FileFollower(str(log), from_start=True, report=said.append)
    add(log, b"a\nb\nhalf")
    assert lines(follower) == [(1, b"a"), (2, b"b")]
    log.write_bytes(after)
    assert [line for _, line in lines(follower)] == after.splitlines()
    assert len(said) == 1
    assert "truncated" in said[0]
    follower.close()


def test_a_position_is_gone_on_from(log: Path) -> None:
    add(log, b"a\nb\nhal")
    first = FileFollower(str(log), from_start=True)
    assert lines(first) == [(1, b"a"), (2, b"b")]
    position = first.position
    assert position is not None
    first.close()
    assert (position.offset, position.line) == (4, 2)
    add(log, b"f\nc\n")
    second = FileFollower(str(log), position=position)
    assert lines(second) == [(3, b"half"), (4, b"c")]
    second.close()


def test_a_position_is_known_before_the_first_line(log: Path) -> None:
    add(log, b"old\n")
    follower = FileFollower(str(log))
    assert follower.position is None
    assert follower.read() is None
    position = follower.position
    assert position is not None
    assert position.offset == 4
    follower.close()


def left_after(log: Path, data: bytes) -> Position:
    """The position after reading all of ``data``."""
    add(log, data)
    follower = FileFollower(str(log), from_start=True)
    lines(follower)
    position = follower.position
    follower.close()
    assert position is not None
    return position


def test_rotation_meanwhile_loses_nothing(log: Path) -> None:
    position = left_after(log, b"a\nb\n")
    add(log, b"c\n")
    log.rename(log.with_suffix(".1"))
    add(log, b"new\n")
    follower = FileFollower(str(log), position=position)
    found = []
    while piece := follower.read():  # until nothing comes once: the old file needs no second look
        found.append((piece.line, piece.data))
    assert found == [(3, b"c\n"), (1, b"new\n")]
    follower.close()


def test_rotation_meanwhile_without_a_new_file_yet(log: Path) -> None:
    position = left_after(log, b"a\n")
    old = log.rename(log.with_suffix(".1"))
    add(old, b"b\n")
    follower = FileFollower(str(log), position=position)
    assert lines(follower) == [(2, b"b")]
    add(log, b"new\n")
    assert lines(follower) == [(1, b"new")]
    follower.close()


@pytest.mark.parametrize("now", [b"x\n", b"xx\nyy\nzz\n"])
def test_another_file_meanwhile_is_read_whole(log: Path, now: bytes) -> None:
    position = left_after(log, b"a\nb\n")
    log.write_bytes(now)  # the same inode, with other content
    said: list[str] = []
    follower = FileFollower(str(log), position=position, report=said.append)
    assert [line for _, line in lines(follower)] == now.splitlines()
    assert "is not the file as it was left" in said[0]
    follower.close()


def test_the_file_is_gone_meanwhile(log: Path) -> None:
    position = left_after(log, b"a\n")
    log.unlink()
    follower = FileFollower(str(log), position=position)
    assert lines(follower) == []
    assert follower.missing
    add(log, b"new\n")
    assert lines(follower) == [(1, b"new")]
    follower.close()


def test_an_endless_line_is_held_in_bounded_memory(follow: FileFollower, log: Path) -> None:
    size = 3 * MAX_LINE_BYTES
    add(log, b"first\n" + b"<" + b"x" * (size - 2) + b">")
    assert lines(follow) == [(1, b"first")]
    assert lines(follow) == []
    add(log, b"\nnext\n")
    (number, long), *others = lines(follow)
    assert number == 2
    assert MAX_LINE_BYTES < len(long) < MAX_LINE_BYTES + 2 * PIECE_BYTES
    assert long.startswith(b"<x")
    assert long.endswith(b"x>")
    assert others == [(3, b"next")]
    position = follow.position
    assert position is not None
    assert position.offset == log.stat().st_size


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(InputError, match="not a regular file"):
            FileFollower(str(name)).read()
    with pytest.raises(InputError, match="cannot be opened"):
        FileFollower("a\0b").read()


STEPS = st.lists(
    st.one_of(
        st.binary(max_size=6),
        st.sampled_from([b"\n", "rotate", "read", "restart"]),
        st.integers(0, 9).map(lambda number: b"name%d\n" % number),
    ),
    max_size=25,
)


@given(STEPS)
def test_every_line_comes_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory, steps: list[bytes | str]
) -> None:
    log = tmp_path_factory.mktemp("follow") / "log"
    log.touch()
    follower = FileFollower(str(log), from_start=True)
    written = found = b""
    follower.read()
    for number, step in enumerate(steps):
        if step == "rotate":
            if not written.endswith(b"\n"):
                add(log, b"\n")
                written += b"\n"
            log.rename(log.with_suffix(f".{number}"))
            log.touch()
        elif step == "restart":
            position = follower.position
            follower.close()
            follower = FileFollower(str(log), position=position)
        elif isinstance(step, bytes):
            add(log, step)
            written += step
        if step in ("read", "rotate"):  # a file that comes and goes between two looks is not seen
            found += b"".join(line + b"\n" for _, line in lines(follower))
    add(log, b"\n")
    found += b"".join(line + b"\n" for _, line in lines(follower))
    follower.close()
    assert found == written + b"\n"
