"""``unmist evaluate robustness`` and ``explanations``: from a data folder to JSON and a page."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unmist.cli import main


@pytest.mark.parametrize("verb", ["robustness", "explanations"])
def test_json_and_a_page(
    verb: str, tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out.json"
    how = ["--model", str(tiny_model_folder), "--data", str(data_folder), "--rows", "10"]
    result = CliRunner().invoke(main, ["evaluate", verb, *how, "-o", str(output)])
    assert result.exit_code == 0, result.stderr
    said = json.loads(output.read_text())
    assert [task["task"] for task in said["tasks"]] == ["host-category"]
    assert said["tasks"][0]["rows"] == 10
    page = output.with_suffix(".md").read_text()
    shown = CliRunner().invoke(main, ["evaluate", verb, *how])
    assert shown.stdout == page
    assert json.loads(CliRunner().invoke(main, ["evaluate", verb, *how, "--json"]).stdout) == said


def test_mistakes_are_one_line(tiny_model_folder: Path, data_folder: Path, tmp_path: Path) -> None:
    model = ["--model", str(tiny_model_folder)]
    for how, message in (
        (["--data", str(tmp_path)], "holds no tasks/"),
        (["--data", str(data_folder), "--task", "astrology"], "no task 'astrology'"),
        (["--data", str(data_folder), "-o", str(tmp_path / "out.txt")], "ends in .json"),
        (["--data", str(tmp_path / "no")], "does not exist"),
    ):
        result = CliRunner().invoke(main, ["evaluate", "robustness", *model, *how])
        assert result.exit_code == 2
        assert message in result.stderr
        assert "Traceback" not in result.stderr


def test_a_task_may_still_come_first(tiny_model_folder: Path, data_folder: Path) -> None:
    data = str(data_folder / "tasks/host-category/test.tsv.zst")
    how = ["--model", str(tiny_model_folder), "--data", data, "--json"]
    short = CliRunner().invoke(main, ["evaluate", "host-category", *how])
    first = CliRunner().invoke(main, ["evaluate", *how, "host-category"])
    long = CliRunner().invoke(main, ["evaluate", "task", "host-category", *how])
    said = [json.loads(result.stdout) for result in (short, first, long)]
    assert len({(one["task"], one["accuracy"]) for one in said}) == 1
