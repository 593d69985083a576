import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from unmist.errors import InputError
from unmist.io import open_rows
from unmist.io.stream import ByteStream

Table = Callable[..., list[tuple[int, str, str | None]]]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nothing\.log: no such file") as caught:
        list(open_rows(str(tmp_path / "nothing.log")))
    assert caught.value.line == 0


def test_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is a directory"):
        list(open_rows(str(tmp_path)))


@pytest.mark.parametrize("name", ["a\0b", "n" * 5000, "\ud800"])
def test_impossible_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        list(open_rows(str(tmp_path / name)))


def test_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match="Permission denied"):
        list(open_rows(str(tmp_path / "a")))


def test_failing_read_reports_the_line() -> None:
    class Failing(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            data = super().read1(6)
            if not data:
                raise OSError(5, "Input/output error")
            return data

    rows = open_rows("-", stdin=Failing(b"one\ntwo\nthree\n"))
    assert next(rows).text == "one"
    with pytest.raises(InputError, match=r"-:3: reading failed \(Input/output error\)"):
        list(rows)


def test_byte_order_mark_is_dropped_once(table: Table) -> None:
    mark = b"\xef\xbb\xbf"
    assert table(mark + b"one\n" + mark + b"two\n") == [(1, "one", None), (2, "\ufefftwo", None)]


def test_head_does_not_consume_and_does_not_wait_for_more_than_a_line() -> None:
    class Live(io.BytesIO):
        reads = 0

        def read1(self, size: int | None = -1, /) -> bytes:
            self.reads += 1
            return super().readline()

    live = Live(b"one\ntwo\nthree\n")
    with ByteStream("-", live) as stream:
        assert stream.head() == b"one\n"
        assert live.reads == 1
        assert b"".join(stream.chunks()) == b"one\ntwo\nthree\n"


def test_rows_arrive_before_the_pipe_ends() -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as stdin, os.fdopen(writer, "wb", buffering=0) as pipe:
        pipe.write(b"one\ntw")
        rows = open_rows("-", stdin=stdin)
        assert next(rows).text == "one"
        pipe.write(b"o\n")
        assert next(rows).text == "two"
        rows.close()  # type: ignore[attr-defined]


def test_standard_input_stays_open_and_files_are_closed(tmp_path: Path) -> None:
    stdin = io.BytesIO(b"one\n")
    assert [row.source for row in open_rows("-", stdin=stdin)] == ["-"]
    assert not stdin.closed
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo\n")
    stream = ByteStream(str(path))
    file = stream._file
    with stream:
        assert not file.closed
    assert file.closed


def test_file_name_that_is_not_utf8(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/a\xff.log"
    Path(os.fsdecode(path)).write_bytes(b"one\n")
    (row,) = open_rows(os.fsdecode(path))
    assert row.source.encode().endswith(b"/a\\udcff.log")
