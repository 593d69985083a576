"""A specialist with thresholds of its user's rows: another card, the same network."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import unmist
from unmist.artifact import layout
from unmist.cli import main
from unmist.labelled.data import examples

TASK = "host-category"


@pytest.fixture
def rows(data_folder: Path, tmp_path: Path) -> Path:
    """Held-out rows as CSV, every sixth of them of no label that the specialist has."""
    found = examples(data_folder / "tasks" / TASK / "dev.tsv.zst")
    named = [(e.text, "none" if i % 6 == 0 else e.label, e.group) for i, e in enumerate(found)]
    path = tmp_path / "mine.csv"
    path.write_text("host,kind,site\n" + "".join(f"{t},{n},{g}\n" for t, n, g in named))
    return path


@pytest.fixture
def calibrate(tiny_model_folder: Path, rows: Path) -> Callable[..., Result]:
    def run(*how: object) -> Result:
        command = ["calibrate", TASK, "--data", str(rows), "--text", "host", "--label", "kind"]
        model = ["--model", str(tiny_model_folder), "--threads", "1"]
        return CliRunner().invoke(main, [*command, *model, *map(str, how)])

    return run


def test_thresholds_for_a_precision(
    calibrate: Callable[..., Result], tiny_model_folder: Path, tmp_path: Path
) -> None:
    strict = tmp_path / "strict"
    result = calibrate("--precision", "0.8", "-o", strict, "--json")
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["card"]["precision"] == 0.8
    assert set(said["thresholds"]) == {"education", "gambling", "news"}
    model = unmist.load(tiny_model_folder, adapters=[strict], threads=1)
    assert model.tasks == (TASK, "strict")
    names = ["casino-lake.com", "royalnews.de"]
    old, new = (model.probabilities(names, task) for task in (TASK, "strict"))
    warmed = old.astype(float) ** (model.card(TASK).temperature / model.card("strict").temperature)
    assert np.allclose(new, warmed / warmed.sum(1, keepdims=True), atol=1e-4)
    assert model.card("strict").thresholds == said["card"]["thresholds"]


def test_a_false_positive_rate_is_kept(calibrate: Callable[..., Result], tmp_path: Path) -> None:
    figures = {}
    for rate in (0.05, 0.5):
        result = calibrate("--false-positive-rate", rate, "-o", tmp_path / f"r{rate}", "--json")
        assert result.exit_code == 0, result.stderr
        figures[rate] = json.loads(result.stdout)
    assert figures[0.05]["kept"]["coverage"] < figures[0.5]["kept"]["coverage"]
    card = figures[0.05]["card"]
    assert card["recalibrated"]["aim"] == "false positive rate 0.05"
    assert 0 <= card["precision"] <= 1


def test_the_table_for_people_and_what_can_be_used(
    calibrate: Callable[..., Result], tiny_model_folder: Path, tmp_path: Path
) -> None:
    result = calibrate("--group", "site", "-o", tmp_path / "mine")
    assert result.exit_code == 0, result.stderr
    assert "false positives" in result.stdout
    assert f"--adapter {tmp_path / 'mine'} --task mine" in result.stdout
    again = calibrate("--group", "site", "-o", tmp_path / "other", "--adapter", tmp_path / "mine")
    assert again.exit_code == 0, again.stderr
    folders = [tmp_path / "mine", tmp_path / "other"]
    cards = [json.loads((folder / layout.TASK).read_text()) for folder in folders]
    assert cards[0]["temperature"] == pytest.approx(cards[1]["temperature"])


def test_mistakes(
    calibrate: Callable[..., Result], rows: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    def refused(*how: object) -> str:
        result = calibrate(*how)
        assert result.exit_code == 2
        return result.stderr

    assert "exclude each other" in refused(
        "--precision", "0.9", "--false-positive-rate", "0.1", "-o", tmp_path / "x"
    )
    assert "has a task" in refused("-o", tmp_path / TASK)
    shutil.copy(rows, tmp_path / "taken")
    assert "exists" in refused("-o", tmp_path / "taken")
    assert not (tmp_path / "x").exists()
    rows.write_text("host,kind\na.com,news\nb.com,news\n")
    assert "left to choose on; expected" in refused("-o", tmp_path / "x")
