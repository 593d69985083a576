import io
import os
import resource
from pathlib import Path

import msgspec
import pytest

from unmist.errors import OutputError
from unmist.io import AtomicFile, VerdictWriter
from unmist.verdict import Verdict


def verdict(text: str) -> Verdict:
    return Verdict(
        text=text,
        field="hostname",
        task="host-category",
        label="cdn",
        score=0.5,
        status="ok",
        reason=None,
        model_label="cdn",
        model_score=0.5,
        source="-",
        line=1,
    )


def test_file_appears_only_when_whole(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with AtomicFile(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


def test_mode_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with AtomicFile(tmp_path / "out") as file:
            file.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o640


def test_exception_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_bytes(b"old")
    with pytest.raises(KeyError), AtomicFile(path) as file:  # noqa: PT012
        file.write(b"new")
        raise KeyError
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["out"]
    assert file.closed


def test_symbolic_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with AtomicFile(tmp_path / "link") as file:
        file.write(b"x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"x"


def test_folder_device_and_missing_folder(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path, tmp_path / "fifo"):
        with pytest.raises(OutputError, match="not a regular file"), AtomicFile(path):
            pass
    with pytest.raises(OutputError, match="No such file"), AtomicFile(tmp_path / "no" / "out"):
        pass
    assert os.listdir(tmp_path) == ["fifo"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_failure_at_the_end(call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with (
        pytest.raises(OutputError, match=r"out: cannot be written \(No space left"),
        AtomicFile(tmp_path / "out") as file,
    ):
        file.write(b"x")
    assert os.listdir(tmp_path) == []


def test_failed_write_is_an_output_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with (
            pytest.raises(OutputError, match="File too large"),
            AtomicFile(tmp_path / "out") as file,
        ):
            file.write(bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_verdicts_round_trip_in_field_order() -> None:
    stream = io.BytesIO()
    with VerdictWriter(stream) as writer:
        writer.write(verdict("a"))
        writer.write(verdict("line\nbreak \u20ac"))
        assert stream.getvalue() == b""
    lines = stream.getvalue().splitlines()
    assert [msgspec.json.decode(line, type=Verdict).text for line in lines] == [
        "a",
        "line\nbreak \u20ac",
    ]
    assert tuple(msgspec.json.decode(lines[0])) == Verdict.__struct_fields__


def test_verdicts_are_buffered_but_not_without_end() -> None:
    stream = io.BytesIO()
    writer = VerdictWriter(stream)
    for _ in range(1000):
        writer.write(verdict("x" * 1000))
    assert len(stream.getvalue()) > 900_000
    writer.flush()
    assert stream.getvalue().count(b"\n") == 1000


class _Broken(io.BytesIO):
    calls = 0

    def write(self, data: object, /) -> int:
        self.calls += 1
        raise BrokenPipeError


def test_broken_pipe_reaches_the_caller_once() -> None:
    stream = _Broken()
    with pytest.raises(BrokenPipeError), VerdictWriter(stream) as writer:  # noqa: PT012
        writer.write(verdict("x"))
        writer.flush()
    assert stream.calls == 1


def test_verdicts_before_another_failure_are_written() -> None:
    stream = io.BytesIO()
    with pytest.raises(KeyError), VerdictWriter(stream) as writer:  # noqa: PT012
        writer.write(verdict("x"))
        raise KeyError
    assert stream.getvalue().count(b"\n") == 1
