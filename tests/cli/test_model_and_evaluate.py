"""``unmist model`` and ``unmist evaluate``: facts for people and for programs."""

import json
import sys
import types

import pytest

from unmist.errors import ModelError

MEASURES = {"rows": 1000, "accuracy": 0.91234, "macro_f1": 0.9, "ece": 0.01, "per_label": {"a": 1}}
POINTS = {
    "news": [
        {
            "threshold": 0.9,
            "chosen": True,
            "answered": 1200,
            "precision": 0.96,
            "recall": None,
            "false_positive_rate": 0.001,
        }
    ]
}


def test_info_for_people(unmist):
    result = unmist("model", "info")
    assert "12,345,678" in result.stdout
    assert "news, tracker" in result.stdout
    assert result.exit_code == 0


def test_info_for_programs(unmist):
    info = json.loads(unmist("model", "info", "--json").stdout)
    assert info["tasks"]["host-category"]["threshold"] == 0.5


def test_verify(unmist, monkeypatch, tmp_path):
    artifact = types.ModuleType("unmist.artifact")
    listing = types.SimpleNamespace(name="fake", files={"model.safetensors": 1, "config.json": 2})
    artifact.verify = lambda path: (listing, "ab" * 32)
    artifact.model_folder = lambda path: path
    monkeypatch.setitem(sys.modules, "unmist.artifact", artifact)
    monkeypatch.setattr("unmist.artifact", artifact, raising=False)
    result = unmist("model", "verify", "--model", tmp_path, "--json")
    assert json.loads(result.stdout) == {
        "path": str(tmp_path),
        "ok": True,
        "name": "fake",
        "hash": "ab" * 32,
        "files": ["config.json", "model.safetensors"],
    }

    def altered(path):
        raise ModelError(f"{path}/model.safetensors: altered")

    artifact.verify = altered
    result = unmist("model", "verify", "--model", tmp_path)
    assert result.exit_code == 2
    assert result.stderr == f"unmist: error: {tmp_path}/model.safetensors: altered\n"


@pytest.fixture
def measured(monkeypatch):
    """Every evaluation gives :data:`MEASURES`."""
    evaluate = types.ModuleType("unmist.evaluate")

    def evaluate_task(model, task, data, progress, thresholds=False):
        progress(MEASURES["rows"])
        return MEASURES | ({"thresholds": POINTS} if thresholds else {})

    evaluate.evaluate_task = evaluate_task
    monkeypatch.setitem(sys.modules, "unmist.evaluate", evaluate)


@pytest.mark.usefixtures("measured")
def test_evaluate(unmist):
    args = ("evaluate", "host-category", "--data", "test.tsv.zst")
    assert json.loads(unmist(*args, "--json").stdout) == MEASURES
    people = unmist(*args)
    assert "0.9123" in people.stdout
    assert "1,000" in people.stdout


@pytest.mark.usefixtures("measured")
def test_evaluate_at_other_thresholds(unmist):
    args = ("evaluate", "host-category", "--data", "test.csv", "--thresholds")
    assert json.loads(unmist(*args, "--json").stdout)["thresholds"] == POINTS
    (row,) = (line for line in unmist(*args).stdout.splitlines() if line.startswith("news"))
    assert row.split() == ["news", "0.9000*", "1,200", "0.9600", "-", "0.0010"]


@pytest.mark.usefixtures("measured")
def test_evaluate_needs_a_known_task_and_data(unmist):
    assert unmist("evaluate", "astrology", "--data", "x").exit_code == 2
    assert unmist("evaluate", "host-category").exit_code == 2
