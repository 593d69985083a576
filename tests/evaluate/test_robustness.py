"""Figures under a view are those of asking the changed rows; flips are counted by hand."""

from pathlib import Path

import pytest

from unmist.evaluate import robustness
from unmist.evaluate.pages import robustness_page
from unmist.evaluate.sampling import sample
from unmist.model import Model
from unmist.text.views import vary, views

TASK = "host-category"


@pytest.fixture(scope="module")
def measured(tiny_model: Model, data_folder: Path) -> dict:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    return robustness.measure(tiny_model, TASK, path, rows=100, seed=3)


def test_invariances_of_names_cost_nothing(measured: dict) -> None:
    for name in ("random_case", "trailing_dot", "www"):
        view = measured["views"][name]
        assert not view["evasion"]
        assert view["accuracy_lost"] == {"value": 0, "low": 0, "high": 0}
        assert view["flipped"] == 0
        assert view["flipped_abstain"]["value"] is None


def test_an_evasion_by_hand(measured: dict, tiny_model: Model, data_folder: Path) -> None:
    rows = sample(data_folder / "tasks" / TASK / "test.tsv.zst", 100, 3)
    (view,) = (view for view in views("hostname") if view.name == "swap")
    pairs = [(row, vary(view, row.text, 3)) for row in rows]
    pairs = [(row, text) for row, text in pairs if text is not None]
    before = tiny_model.classify([row.text for row, _ in pairs])
    after = tiny_model.classify([text for _, text in pairs])
    flipped = [
        now
        for (row, _), was, now in zip(pairs, before, after, strict=True)
        if was.model_label == row.label != now.model_label
    ]
    right = [now.model_label == row.label for (row, _), now in zip(pairs, after, strict=True)]
    found = measured["views"]["swap"]
    assert found["rows"] == len(pairs)
    assert found["accuracy"]["value"] == pytest.approx(sum(right) / len(right), abs=1e-4)
    assert found["accuracy_lost"]["value"] > 0.01  # a word with two letters swapped is another
    assert found["flipped"] == len(flipped) > 0
    share = sum(now.status == "abstain" for now in flipped) / len(flipped)
    assert found["flipped_abstain"]["value"] == pytest.approx(share, abs=1e-4)
    evasions = [view for view in measured["views"].values() if view["evasion"]]
    assert measured["evasions"]["flipped"] == sum(view["flipped"] for view in evasions)


def test_it_is_the_same_again_and_says_how_far_it_is(tiny_model: Model, data_folder: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    done: list[int] = []
    first = robustness.measure(tiny_model, TASK, path, 20, 1, done.append)
    assert first == robustness.measure(tiny_model, TASK, path, 20, 1)
    assert sum(done) == 20 + sum(view["rows"] for view in first["views"].values())


def test_a_label_the_model_does_not_have(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\ncasino-lake.com\tastrology\n")
    result = robustness.measure(tiny_model, TASK, path)
    assert result["clean"]["accuracy"]["value"] == 0
    assert result["evasions"] == {
        "flipped": 0,
        "flipped_abstain": {"value": None, "low": None, "high": None},
    }


def test_the_page(measured: dict) -> None:
    page = robustness_page([measured], "unmist evaluate robustness", "A note.")
    assert "A note." in page
    assert "| *evasions* |" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert len({line.count("|") for line in rows}) == 1
    assert sum(f"| {name} |" in page for name in measured["views"]) == len(measured["views"])
