"""``unmist train``: from a CSV to an adapter that classify takes."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from unmist.cli import main
from unmist.train import fitting

WORDS = {"play": ("poker", "slots", "dice", "bingo"), "read": ("press", "times", "herald", "post")}


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    pairs = [(word, label) for label, words in WORDS.items() for word in words]
    rows = [f"{word}{i}.com,{label}" for i in range(25) for word, label in pairs]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["host,kind", *rows, ",play", ""]))
    return path


@pytest.fixture
def train(
    labelled: Path,
    tiny_model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], SimpleNamespace],
) -> Callable[..., Result]:
    """``unmist train`` on the labelled file, with these arguments more, for 300 ticks."""
    monkeypatch.setattr(fitting, "time", ticking())
    how = ["--text", "host", "--label", "kind", "--minutes", "5", "--threads", "1"]
    command = ["train", str(labelled), *how, "--model", str(tiny_model_folder)]
    return lambda *more: CliRunner().invoke(main, [*command, *map(str, more)])


def test_from_a_csv_to_verdicts(
    train: Callable[..., Result], tiny_model_folder: Path, tmp_path: Path
) -> None:
    model = ["--model", str(tiny_model_folder)]
    adapter = tmp_path / "pastime"
    result = train("-o", adapter)
    assert result.exit_code == 0, result.stderr
    assert "character n-grams" in result.stdout
    assert "1 rows left out: empty" in result.stderr
    assert "dev_loss" not in result.stderr  # not a terminal: no progress
    asked = ["classify", "--adapter", str(adapter), "--task", "pastime", "--jsonl", *model, "-"]
    result = CliRunner().invoke(main, asked, input="poker999.com\nherald999.com\n")
    assert result.exit_code == 0, result.stderr
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert [v["model_label"] for v in verdicts] == ["play", "read"]
    again = train("-o", adapter)
    assert again.exit_code == 2
    assert "exists and is not empty" in again.stderr


def test_rows_of_no_label(train: Callable[..., Result], labelled: Path, tmp_path: Path) -> None:
    others = [f"{word}{i}.net,other" for i in range(40) for word in ("garden", "bikes")]
    labelled.write_text(labelled.read_text() + "\n".join(others) + "\n")
    result = train("--none", "other", "-o", tmp_path / "pastime")
    assert result.exit_code == 0, result.stderr
    assert "test rows of no label that get one" in result.stdout
    result = train("--none", "x", "-o", tmp_path / "pastime-2")
    assert result.exit_code == 2
    assert "'x'" in result.stderr


def test_mistakes_are_one_line(labelled: Path, tmp_path: Path) -> None:
    output = ["-o", str(tmp_path / "out")]
    for how, message in (
        ((str(labelled), "--text", "host", "--label", "colour"), "no column 'colour'"),
        ((str(tmp_path / "no.csv"), "--text", "host", "--label", "kind"), "no.csv"),
        ((str(labelled), "--text", "host", "--label", "host"), "has one row"),
    ):
        result = CliRunner().invoke(main, ["train", *how, *output])
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert not (tmp_path / "out").exists()


def test_files_that_hold_nothing_to_learn_from(tmp_path: Path) -> None:
    path, output = tmp_path / "rows.csv", tmp_path / "out"
    for content, message in (
        (b"", "rows.csv"),
        (b"host,kind\n", "no row with a text and a label"),
        (b"host,kind\n,x\n  ,y\n", "no row with a text and a label"),
        (b"host,kind\na.com,\nb.com,\n", "no label"),
        (b"host,kind\na.com,x\nb.com,x\n", "one label only, 'x'"),
        (b"\x1f\x8b\x08\x00broken", "rows.csv"),
        (b"PAR1 and no more", "rows.csv"),
        (bytes(range(256)) * 20, "rows.csv"),
        (b"host,kind\na.com,x\nb.com,y\n", "leave"),
    ):
        path.write_bytes(content)
        how = ["--text", "host", "--label", "kind", "-o", str(output)]
        result = CliRunner().invoke(main, ["train", str(path), *how])
        assert result.exit_code == 2, content
        assert message in result.stderr
        assert "Traceback" not in result.stderr
        assert result.exception is None or isinstance(result.exception, SystemExit)
        assert not output.exists()


def test_without_the_extra(labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    command = [
        "train",
        str(labelled),
        "--text",
        "host",
        "--label",
        "kind",
        "-o",
        str(tmp_path / "o"),
    ]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 2
    assert "unmist[train]" in result.stderr
