"""The floor learns what words give away."""

from pathlib import Path

from unmist.labelled.ngram import floor


def test_the_floor_on_a_task_of_words(data_folder: Path) -> None:
    result = floor(data_folder / "tasks" / "host-category")
    assert result["test"]["accuracy"] > 0.8
    assert 0 <= result["test"]["ece"] <= 1
    assert result["rows"] > 0
