import os
from pathlib import Path

import pytest

from unmist.batch.plan import Input, Plan, Settings, differences, find_inputs, identify
from unmist.errors import UsageError


def names(found: list[str], folder: Path) -> list[str]:
    return [os.path.relpath(path, folder) for path in found]


def test_files_globs_and_folders(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "d/z", "d/.hidden", "d/e/y", ".h/x", "out/part-1", "d/out/q"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    os.mkfifo(tmp_path / "d" / "pipe")
    out = tmp_path / "out"

    def find(*named: str) -> list[str]:
        return names(find_inputs([str(tmp_path / name) for name in named], out), tmp_path)

    assert find(".") == ["a.txt", "b.txt", "d/z", "d/e/y", "d/out/q"]
    assert find("*.txt") == ["a.txt", "b.txt"]
    assert find("b.txt", "*.txt", "d/../b.txt") == ["b.txt", "a.txt"]
    assert find("*") == ["a.txt", "b.txt", "d/z", "d/e/y", "d/out/q"]
    assert find("**/*") == ["a.txt", "b.txt", "d/e/y", "d/out/q", "d/z"]
    assert find("missing", "[x") == ["missing", "[x"]
    with pytest.raises(UsageError, match="no file in the inputs"):
        find("out")
    with pytest.raises(UsageError, match="standard input"):
        find_inputs(["-"], out)


def test_identity_follows_content_and_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    was = identify(str(path))
    assert was == identify(str(path))
    os.utime(path, ns=(1, was.mtime_ns + 1))
    assert identify(str(path)) != was
    path.write_bytes(b"two")
    os.utime(path, ns=(1, was.mtime_ns))
    assert identify(str(path)) != was


def test_what_cannot_be_opened_has_a_problem(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert identify(str(tmp_path / "no")).problem == "No such file or directory"
    assert identify(str(tmp_path / "pipe")).problem == "not a regular file"
    assert identify(str(tmp_path)).problem is not None
    assert identify("a\0b").problem is not None
    assert identify("\udcff").path == "\\xff"


def test_every_difference_is_said() -> None:
    one = Input(path="a", size=1)
    plan = Plan(settings=Settings(tasks=("x",)), model_hash="ab", inputs=(one, Input(path="b")))

    def said(**changed: object) -> str:
        return "; ".join(differences(plan, _replace(plan, **changed)))

    assert said() == ""
    assert said(model_hash="cd") == "model ab, now cd"
    settings = Settings(tasks=("x", "y"), column="c", embed=True)
    assert said(settings=settings) == (
        "tasks x, now x+y; column none, now c; embed False, now True"
    )
    assert said(inputs=(one,)) == "input b is gone from the command"
    assert said(inputs=tuple(reversed(plan.inputs))) == "the inputs are in another order"
    changed = (Input(path="a", size=2), Input(path="b", problem="gone"))
    assert said(inputs=changed) == (
        "input a has changed (1 bytes, now 2); input b has changed (readable, now gone)"
    )


def _replace(plan: Plan, **changed: object) -> Plan:
    fields = {name: getattr(plan, name) for name in plan.__struct_fields__}
    return Plan(**fields | changed)
