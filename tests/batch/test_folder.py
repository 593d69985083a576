import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unmist.batch.folder import locked
from unmist.batch.manifest import Manifest, Part
from unmist.errors import OutputError, UsageError


def part(number: int) -> Part:
    return Part(
        part=number,
        input="a",
        first=number,
        last=number,
        offset=None,
        rows=1,
        bad=0,
        filtered=0,
        bytes=1,
        sha256="00",
        end=False,
    )


def test_second_writer_is_refused_and_told_whom_to_ask(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "job"
    with locked(folder):
        with pytest.raises(OutputError, match=f"process {os.getpid()}"), locked(folder):
            pass
        # A refused one must not have taken the holder's name away.
        with pytest.raises(OutputError, match=f"process {os.getpid()}"), locked(folder):
            pass
    with locked(folder):
        pass


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from unmist.batch.folder import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {process.pid}"), locked(tmp_path):
            pass
        process.kill()
    with locked(tmp_path):
        pass


def test_an_unwritable_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"), locked(tmp_path / "file"):
        pass


def test_a_torn_last_line_is_dropped_wherever_it_is_torn(tmp_path: Path) -> None:
    manifest = Manifest(tmp_path)
    manifest.append(part(1))
    path = tmp_path / "manifest.jsonl"
    one = path.read_bytes()
    manifest.append(part(2))
    both = path.read_bytes()
    torn = [both[:size] for size in range(len(one) + 1, len(both))]
    for data in [*torn, one + bytes(100), one + b"{}\n", one + one]:
        path.write_bytes(data)
        again = Manifest(tmp_path)
        assert again.parts == [part(1)]
        assert path.read_bytes() == one
        again.append(part(2))
        assert path.read_bytes() == both


def test_a_damaged_line_that_is_not_the_last_one(tmp_path: Path) -> None:
    Manifest(tmp_path).append(part(1))
    path = tmp_path / "manifest.jsonl"
    path.write_bytes(b"x\n" + path.read_bytes())
    with pytest.raises(OutputError, match="line 1 is damaged"):
        Manifest(tmp_path)


def test_foreign_files_are_left_alone(tmp_path: Path, job: Callable[..., Any]) -> None:
    source = tmp_path / "a"
    source.write_text("x\n")
    out = tmp_path / "out"
    out.mkdir()
    (out / "part-000001.parquet").write_text("mine")
    with pytest.raises(UsageError, match="holds other files"):
        job(out, [source])
    assert (out / "part-000001.parquet").read_text() == "mine"


def test_another_job_is_refused(
    tmp_path: Path, job: Callable[..., Any], mixed: list[Path], held: Callable[..., Any]
) -> None:
    out = tmp_path / "out"
    job(out, mixed)
    before = held(out)
    for options, said in (
        ({"part_rows": 6}, "part_rows 5, now 6"),
        ({"to": "jsonl"}, "to parquet, now jsonl"),
        ({"embed": True}, "embed False, now True"),
    ):
        with pytest.raises(UsageError, match=f"{said}.* choose another -o"):
            job(out, mixed, **options)
    with pytest.raises(UsageError, match=r"dns.log is gone"):
        job(out, [mixed[0], mixed[2]])
    assert held(out) == before
    (out / "job.json").write_text("{}")
    with pytest.raises(UsageError, match=r"job.json is not one of unmist's"):
        job(out, mixed)


def test_a_finished_part_that_is_gone(
    tmp_path: Path, job: Callable[..., Any], mixed: list[Path]
) -> None:
    out = tmp_path / "out"
    job(out, mixed)
    (out / "part-000002.parquet").write_bytes(b"")
    with pytest.raises(UsageError, match="0 bytes instead of"):
        job(out, mixed)
    (out / "part-000002.parquet").unlink()
    with pytest.raises(UsageError, match="finished part is gone"):
        job(out, mixed)


def test_temporary_files_of_a_killed_run_are_cleared(
    tmp_path: Path, job: Callable[..., Any], mixed: list[Path]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / ".part-000001.parquet.0011.tmp").write_text("half")
    job(out, mixed)
    assert not list(out.glob(".*"))
