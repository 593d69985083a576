"""Resampled scores agree with the plain ones, and intervals hold them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.evaluate import bootstrap as by_draw
from unmist.evaluate.probes import bootstrap
from unmist.labelled import metrics

LABELS = 4
ROWS = st.lists(
    st.tuples(st.integers(-1, LABELS - 1), st.integers(0, LABELS - 1)), min_size=1, max_size=40
)


@given(ROWS)
def test_every_row_once_is_the_plain_score(rows: list[tuple[int, int]]) -> None:
    actual, predicted = np.array(rows).T
    once = np.ones((1, len(rows)), np.float32)
    expected = metrics.macro_f1(actual, predicted, LABELS)
    assert by_draw.macro_f1(once, actual, predicted, LABELS)[0] == pytest.approx(expected)
    accuracy = (actual == predicted).mean()
    assert by_draw.mean(once, actual == predicted)[0] == pytest.approx(accuracy)


def test_resamples_keep_the_number_of_rows_and_repeat() -> None:
    drawn = bootstrap.weights(50)
    assert drawn.shape == (bootstrap.RESAMPLES, 50)
    assert (drawn.sum(1) == 50).all()
    assert (drawn == bootstrap.weights(50)).all()
    assert (drawn != bootstrap.weights(50, seed=2)).any()


def test_an_interval_is_as_wide_as_theory_says() -> None:
    """Accuracy .8 on 400 rows: a standard error of .02."""
    actual = np.zeros(400, int)
    predicted = np.where(np.arange(400) < 320, 0, 1)
    low, high = bootstrap.interval(by_draw.mean(bootstrap.weights(400), actual == predicted))
    assert low == pytest.approx(0.8 - 0.0392, abs=0.01)
    assert high == pytest.approx(0.8 + 0.0392, abs=0.01)


def test_groups_are_resampled_whole() -> None:
    weight = np.array([[1, 1], [2, 0], [0, 2]], np.float32)
    means = bootstrap.weighted_means(weight, np.array([3.0, 1.0]), np.array([3, 1]))
    assert means.tolist() == [1, 1, 1]
