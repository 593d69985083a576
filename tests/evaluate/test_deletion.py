"""What is removed at random is as much, in as many pieces, and explanations beat chance."""

import random
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from unmist.evaluate import deletion
from unmist.evaluate.pages import explanations_page
from unmist.model import Model

TASK = "host-category"


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=40), st.data(), st.integers(0, 9))
def test_runs_at_random_are_as_many_and_as_long(weights, data, seed: int) -> None:
    count = data.draw(st.integers(0, len(weights)))
    top = deletion.heaviest(weights, count)
    assert len(set(top)) == count
    assert top == sorted(top)
    left = set(range(len(weights))) - set(top)
    assert not top or not left or min(weights[i] for i in top) >= max(weights[i] for i in left)
    lengths = deletion.runs(top)
    other = deletion.scattered(lengths, len(weights), random.Random(seed))
    assert sorted(deletion.runs(other)) == sorted(lengths)
    assert all(0 <= place < len(weights) for place in other)


def test_every_place_is_as_likely() -> None:
    chance = random.Random(1)
    counts = [0] * 10
    for _ in range(5000):
        for place in deletion.scattered([2], 10, chance):
            counts[place] += 1
    assert max(counts[1:-1]) < 1.2 * min(counts[1:-1])
    assert counts[0] > 0
    assert counts[-1] > 0


def test_what_is_named_matters_more_than_chance(tiny_model: Model, data_folder: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    done: list[int] = []
    result = deletion.measure(tiny_model, TASK, path, rows=60, progress=done.append)
    assert result["rows"] == sum(done) == 60
    assert result["attributed"]["value"] > result["random"]["value"] > 0
    assert result["ratio"]["value"] > 1.3
    assert f"| {TASK} | 60 | 0 |" in explanations_page([result], "unmist evaluate explanations")


def test_short_and_odd_rows_are_counted(tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\na.b\tnews\n.\tnews\ncasino-lake.com\tnews\n")
    result = deletion.measure(tiny_model, TASK, path)
    assert (result["rows"], result["skipped"]) == (1, 2)
    path.write_text("text\tlabel\na.b\tnews\n")
    result = deletion.measure(tiny_model, TASK, path)
    assert result["ratio"] == {"value": None, "low": None, "high": None}
