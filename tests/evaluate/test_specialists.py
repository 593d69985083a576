"""All specialists on their test splits, as a report."""

import json
import shutil
from pathlib import Path

import pytest

from unmist.evaluate import evaluate_task, specialists
from unmist.model import Model

TASK = "host-category"
FLOOR = """
[floor]
accuracy = 0.1
macro_f1 = 0.999
"""


def test_the_report_has_what_evaluate_says_and_the_floor(
    tiny_model: Model, tiny_model_folder: Path, data_folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    shutil.copytree(data_folder, data)
    with (data / "tasks" / TASK / "task.toml").open("a") as file:
        file.write(FLOOR)
    command = ["--data", str(data), "--model", str(tiny_model_folder), "-o", str(tmp_path / "out")]
    specialists.main(command)
    report = json.loads((tmp_path / "out/specialists.json").read_text())
    assert report["model"] == tiny_model.hash
    found = report["tasks"][TASK]
    said = evaluate_task(tiny_model, TASK, data / "tasks" / TASK / "test.tsv.zst")
    for name in ("accuracy", "macro_f1", "ece", "coverage", "rows"):
        assert found["test"][name] == said[name]
    interval = found["test"]["macro_f1_interval"]
    assert interval["value"] == pytest.approx(said["macro_f1"], abs=1e-4)
    assert interval["low"] < interval["value"] < interval["high"]
    assert found["test"]["unfamiliar"] == 0
    assert found["floor"] == {"accuracy": 0.1, "macro_f1": 0.999}
    page = (tmp_path / "out/specialists.md").read_text()
    assert f"| `{TASK}` | hostname | 3 | 200 |" in page
    assert f"{said['macro_f1'] - 0.999:+.3f}" in page
