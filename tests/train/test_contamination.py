"""Held-out rows among training rows are found, whatever their case and digits."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import zstandard

from unmist.train import contamination


@pytest.fixture
def data(data_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data_folder, tmp_path / "data"))


def add(data: Path, *names: str) -> None:
    path = data / "pretrain/hostname/more.txt.zst"
    path.write_bytes(zstandard.compress("".join(f"{name}\n" for name in names).encode()))


def a_test_name(data: Path) -> str:
    rows = zstandard.decompress((data / "tasks/host-category/test.tsv.zst").read_bytes())
    return rows.decode().splitlines()[1].split("\t")[0]


def test_equal_rows_are_left_out_and_twins_are_counted(data: Path) -> None:
    add(data, a_test_name(data).upper(), "node17.fresh.example", "x5.unheard.example")
    result = contamination.check(data, ["hostname"])
    (more,) = (source for source in result.sources if source.name == "pretrain/more")
    assert (more.rows, more.exact_before, more.exact, more.masked) == (3, 1, 0, 0)
    assert result.clean


def test_what_is_masked() -> None:
    assert contamination.masked("API-v3.Example \n x") == contamination.masked("api-v22.example x")
    assert contamination.masked("a1b") != contamination.masked("ab")


def test_a_leak_is_said_by_the_exit_code(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contamination, "withheld", lambda data, field: set())
    add(data, a_test_name(data))
    arguments = ["--data", str(data), "--fields", "hostname", "-o", str(tmp_path / "out")]
    monkeypatch.setattr(sys, "argv", ["contamination", *arguments])
    with pytest.raises(SystemExit) as caught:
        contamination.main()
    assert caught.value.code == 1
    written = json.loads((tmp_path / "out/contamination.json").read_text())
    assert not written["clean"]
    assert "pretrain/more" in (tmp_path / "out/contamination.md").read_text()
