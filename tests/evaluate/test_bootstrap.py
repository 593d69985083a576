"""Intervals over groups: the sample itself comes first, and groups are drawn whole."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.evaluate import bootstrap
from unmist.labelled import metrics

ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(-1, 2), st.integers(-2, 2)),
    min_size=1,
    max_size=30,
)


@given(ROWS)
def test_the_first_draw_is_the_sample_and_groups_stay_whole(rows: list[tuple[str, int, int]]):
    groups = np.array([group for group, _, _ in rows])
    drawn = bootstrap.weights(groups.tolist(), rounds=20)
    assert drawn.shape == (21, len(rows))
    assert (drawn[0] == 1).all()
    for name in set(groups):
        mine = drawn[:, groups == name]
        assert (mine == mine[:, :1]).all()
    firsts = np.array([list(groups).index(name) for name in sorted(set(groups))])
    assert (drawn[:, firsts].sum(1) == len(firsts)).all()


@given(ROWS)
def test_macro_f1_under_weights_is_that_of_the_rows_repeated(rows: list[tuple[str, int, int]]):
    actual = np.array([a for _, a, _ in rows])
    predicted = np.array([p for _, _, p in rows])
    drawn = bootstrap.weights([group for group, _, _ in rows], rounds=3)
    for weights, value in zip(
        drawn.astype(int), bootstrap.macro_f1(drawn, actual, predicted, 3), strict=True
    ):
        repeated = np.repeat(actual, weights), np.repeat(predicted, weights)
        if not ({*repeated[0].tolist(), *repeated[1].tolist()} & {0, 1, 2}):
            assert np.isnan(value)
        else:
            assert value == pytest.approx(metrics.macro_f1(*repeated, 3), abs=1e-5)


def test_mean_among_some() -> None:
    drawn = bootstrap.weights(["a", "b", "c", "d"], rounds=50)
    values, among = np.array([1, 0, 1, 0]), np.array([True, True, False, False])
    assert bootstrap.mean(drawn, values)[0] == 0.5
    assert bootstrap.mean(drawn, values, among)[0] == 0.5
    assert bootstrap.figure(bootstrap.mean(drawn, values, np.zeros(4, bool)))["value"] is None


def test_an_interval_holds_the_value_and_narrows_with_groups() -> None:
    generator = np.random.default_rng(1)

    def width(groups: int) -> float:
        hits = np.repeat(generator.random(groups) < 0.5, 5)
        names = [str(i // 5) for i in range(5 * groups)]
        found = bootstrap.figure(bootstrap.mean(bootstrap.weights(names), hits))
        assert found["low"] < found["value"] < found["high"]
        return found["high"] - found["low"]

    few, many = width(30), width(3000)
    assert few > 5 * many
    assert many == pytest.approx(2 * 1.96 * 0.5 / 3000**0.5, rel=0.2)  # groups count, not rows
