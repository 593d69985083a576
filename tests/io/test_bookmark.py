"""The place where a log was left."""

import json
from pathlib import Path

import pytest

from unmist.errors import InputError, OutputError, UsageError
from unmist.io import Position, load_bookmark, save_bookmark

POSITION = Position(inode=5, offset=7, line=2, mark_bytes=7, mark="ab")


def test_what_was_saved_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, log = tmp_path / "state", tmp_path / "caf\udce9.log"
    assert load_bookmark(state, str(log)) is None
    save_bookmark(state, str(log), POSITION, b"#path\t\xff\n")
    monkeypatch.chdir(tmp_path)
    bookmark = load_bookmark("state", log.name)
    assert bookmark is not None
    assert bookmark.position == POSITION
    assert bookmark.header.encode("latin-1") == b"#path\t\xff\n"
    save_bookmark(state, str(log), POSITION, b"")
    assert load_bookmark(state, str(log)) != bookmark
    assert sorted(path.name for path in tmp_path.iterdir()) == ["state"]


def test_the_bookmark_of_another_log_is_refused(tmp_path: Path) -> None:
    save_bookmark(tmp_path / "state", "a.log", POSITION, b"")
    with pytest.raises(UsageError, match=r"a\.log; give each log its own --state"):
        load_bookmark(tmp_path / "state", "b.log")


@pytest.mark.parametrize("content", [b"", b"{}", b"hello", b"\xff", b'{"log": "a.log"}'])
def test_other_files_are_not_taken_for_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match="no state of 'unmist tail'"):
        load_bookmark(path, "a.log")


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "state"
    save_bookmark(path, "a.log", POSITION, b"")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"unmist_bookmark": 2}))
    with pytest.raises(InputError, match="another version"):
        load_bookmark(path, "a.log")


def test_unreadable_and_unwritable(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_bookmark(tmp_path, "a.log")
    with pytest.raises(OutputError):
        save_bookmark(tmp_path / "none" / "state", "a.log", POSITION, b"")
