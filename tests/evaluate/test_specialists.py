"""All specialists on their test splits, as a report."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from unmist.evaluate import bootstrap, evaluate_task, specialists
from unmist.labelled.data import Example
from unmist.model import Model
from unmist.train import outside

TASK = "host-category"
FLOOR = """
[floor]
accuracy = 0.1
macro_f1 = 0.999
suffix_masked_accuracy = 0.3
suffix_masked_macro_f1 = 0.2
"""


def test_the_report_has_what_evaluate_says_and_the_floor(
    tiny_model: Model,
    tiny_model_folder: Path,
    data_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    apart = [Example(name, "", name, "shops") for name in ("bakery.com", "florist.de", "10.0.0.1")]
    monkeypatch.setattr(outside, "rows", lambda *_: {"test": apart})
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
    assert found["floor"]["macro_f1"] == 0.999
    assert found["suffix_masked"]["rows"] == 200
    kept = found["test"]["kept_labels"]
    assert 0 <= kept["kept"] <= kept["labels"] <= 3
    shops = found["outside"]["shops"]
    verdicts = tiny_model.classify([row.text for row in apart], task=TASK)
    assert shops["rows"] == 3
    assert shops["unfamiliar"] == pytest.approx(1 / 3, abs=1e-4)  # the address
    answered = sum(verdict.label is not None for verdict in verdicts)
    assert shops["answered"] == pytest.approx(answered / 3, abs=1e-4)
    page = (tmp_path / "out/specialists.md").read_text()
    assert f"| `{TASK}` | shops | 3 | 33.3% | {answered / 3:.1%} |" in page
    assert f"| `{TASK}` | hostname | 3 | 200 |" in page
    assert f"{said['macro_f1'] - 0.999:+.3f}" in page
    assert "n-grams that learnt without it: 0.300, 0.200" in page


def test_a_promise_is_kept_when_its_interval_reaches_it() -> None:
    groups = [f"g{i}" for i in range(40)]
    drawn = bootstrap.weights(groups, 200)
    actual = np.array([0] * 20 + [1] * 10 + [0] * 10)
    predicted = np.array([0] * 20 + [1] * 20)  # 1 is right half the time
    everyone = np.ones(40, bool)
    kept = specialists._kept(drawn, everyone, actual, predicted, 0.95)
    assert kept == {"labels": 2, "kept": 1}
    assert specialists._kept(drawn, predicted == 1, actual, predicted, 0.55)["kept"] == 1
    assert specialists._kept(drawn, ~everyone, actual, predicted, 0.9) == {"labels": 0, "kept": 0}
