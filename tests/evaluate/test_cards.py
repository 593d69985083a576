"""Model cards say what was committed and no more, and are committed as the code makes them."""

import json
import shutil
from pathlib import Path

import pytest

from unmist.artifact import SHIPPED, layout
from unmist.evaluate import cards

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(("size", "below"), [("small", "."), ("edge", "edge")])
def test_the_committed_cards_are_what_the_code_makes_of_the_committed_figures(
    size: str, below: str
) -> None:
    made = cards.cards(layout.model_folder(size), REPOSITORY / "docs" / "benchmarks" / below)
    folder = REPOSITORY / "docs" / "models" / below
    committed = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    assert committed == made, "run the commands at the top of unmist.evaluate.cards"


def test_a_card_of_a_model_without_measurements(tiny_model_folder: Path, tmp_path: Path) -> None:
    made = cards.cards(tiny_model_folder, tmp_path)
    assert set(made) == {"README.md", "host-category.md"}
    page = made["host-category.md"]
    assert "Not measured yet." in page
    assert "| `gambling` |" in page
    assert "Licences: CC0-1.0." in page


def test_weak_points_are_said(tmp_path: Path) -> None:
    model, results = tmp_path / "model", tmp_path / "results"
    results.mkdir()
    shutil.copytree(SHIPPED / "adapters" / "host-dga", model / "adapters" / "host-dga")
    shutil.copy(SHIPPED / layout.MANIFEST, model / layout.MANIFEST)
    figure = {"value": 0.5, "low": 0.4, "high": 0.6}
    test = {
        "accuracy_interval": figure, "macro_f1_interval": figure, "rows": 70, "ece": 0.2,
        "ece_by_chance": 0.11, "coverage": 0.0, "answered_accuracy": None,
    }  # fmt: skip
    measured = {"test": test, "floor": {"accuracy": 0.9, "macro_f1": 0.9}}
    (results / "specialists.json").write_text(json.dumps({"tasks": {"host-dga": measured}}))
    page = cards.cards(model, results)["host-dga.md"]
    assert "worse than the n-gram floor" in page
    assert "off by 0.20" in page
    assert "0.11 with exact scores" in page
    assert "70 rows only" in page
