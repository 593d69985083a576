"""``evaluate_task`` says what classifying the same rows says."""

from pathlib import Path

import pytest

from unmist.errors import InputError, UsageError
from unmist.evaluate import evaluate_task
from unmist.labelled.data import examples
from unmist.model import Model

TASK = "host-category"


def test_it_agrees_with_classify(tiny_model: Model, data_folder: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    done: list[int] = []
    result = evaluate_task(tiny_model, TASK, path, done.append)
    rows = examples(path)
    assert result["rows"] == len(rows) == sum(done) == 200
    assert (result["task"], result["data"]) == (TASK, "/".join(path.parts[-2:]))
    assert result["model"] == tiny_model.hash
    verdicts = tiny_model.classify([row.text for row in rows])
    right = [v.model_label == row.label for v, row in zip(verdicts, rows, strict=True)]
    assert result["accuracy"] == pytest.approx(sum(right) / 200, abs=1e-4)
    assert result["accuracy"] > 0.6
    answered = [r for v, r in zip(verdicts, right, strict=True) if v.status == "ok"]
    assert result["coverage"] == pytest.approx(len(answered) / 200, abs=1e-4)
    assert result["answered_accuracy"] == pytest.approx(sum(answered) / len(answered), abs=1e-4)
    assert 0 <= result["ece"] <= 0.3
    assert set(result["f1"]) == {"education", "gambling", "news"}


def test_the_card_keeps_what_was_measured(tiny_model: Model, data_folder: Path) -> None:
    card = tiny_model.card(TASK)
    for split in ("dev", "test"):
        path = data_folder / "tasks" / TASK / f"{split}.tsv.zst"
        result = evaluate_task(tiny_model, TASK, path)
        for name, value in card.scores[split].items():
            assert result[name] == pytest.approx(value, abs=0.001), name


def test_foreign_labels_are_wrong(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\ncasino-lake.com\tastrology\ncasino-blue.com\tastrology\n")
    assert evaluate_task(tiny_model, TASK, path)["accuracy"] == 0


def test_errors(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\n")
    with pytest.raises(InputError, match="no rows"):
        evaluate_task(tiny_model, TASK, path)
    path.write_text("name\tlabel\na\tb\n")
    with pytest.raises(InputError, match="expected columns"):
        evaluate_task(tiny_model, TASK, path)
    with pytest.raises(InputError, match="cannot be read"):
        evaluate_task(tiny_model, TASK, tmp_path / "none.tsv")
    with pytest.raises(UsageError, match="host-category"):
        evaluate_task(tiny_model, "astrology", path)
