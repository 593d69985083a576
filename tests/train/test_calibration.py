"""Temperatures that undo a known scaling, thresholds that keep their promise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.train.calibration import (
    MOST_OF_A_GROUP,
    fair,
    log_softmax,
    surprise,
    temperature,
    thresholds,
    thresholds_for_false_positives,
)


def sampled(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits, and labels drawn from exactly the probabilities that the logits say."""
    generator = np.random.default_rng(1)
    logits = generator.normal(0, 2, (rows, 4)).astype(np.float32)
    odds = np.exp(log_softmax(logits)).cumsum(1)
    return logits, (generator.random((rows, 1)) > odds).sum(1).clip(0, 3)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_temperature_recovers_a_known_scaling(scale: float) -> None:
    logits, actual = sampled(20_000)
    assert temperature(logits * np.float32(scale), actual) == pytest.approx(scale, rel=0.05)


def test_a_few_rows_that_nobody_could_tell_do_not_decide() -> None:
    logits, actual = sampled(4000)
    logits[:8], actual[:8] = [60, 0, 0, 0], 1  # sure, and wrong
    assert temperature(logits, actual) == pytest.approx(1, abs=0.15)
    rows = np.arange(len(actual))
    plain = [-log_softmax(logits / t)[rows, actual].mean() for t in (1.0, 1.3)]
    assert plain[1] < plain[0]  # likelihood alone would make all others less sure


def test_surprise_is_bounded() -> None:
    logits = np.array([[0, 900.0], [900.0, 0], [0, 0]])
    wanted = [-np.log(0.0015), 0, np.log(2)]
    np.testing.assert_allclose(surprise(logits, np.zeros(3, int)), wanted, atol=0.01)


def test_a_group_of_many_rows_does_not_decide_for_all() -> None:
    logits, actual = sampled(4000)
    groups = [f"name{row}.com" for row in range(4000)] + ["one.example"] * 4000
    odd = np.concatenate((logits, -logits)), np.concatenate((actual, actual))  # all of it is wrong
    assert temperature(*odd) > 3
    assert temperature(*odd, fair(groups)) == pytest.approx(1, abs=0.1)


def test_what_rows_of_a_group_weigh() -> None:
    groups = ["", *(f"g{number}" for number in range(98)), *["many"] * 40]
    weights = fair(groups)
    assert weights[:99].tolist() == [1] * 99
    assert weights[99:].sum() == pytest.approx(MOST_OF_A_GROUP)
    assert fair(groups[1:]).tolist() == [1] * (len(groups) - 1)  # 99 groups are too few


def test_log_softmax() -> None:
    logits = np.array([[1e4, 0.0], [-1e4, -1e4]], np.float32)
    np.testing.assert_allclose(np.exp(log_softmax(logits)), [[1, 0], [0.5, 0.5]])


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.booleans(), st.floats(0.4, 1).map(lambda p: round(p, 2))),
        min_size=1,
        max_size=150,
    ),
    st.sampled_from([0.5, 0.8, 0.96]),
    st.integers(1, 20),
)
def test_answers_reach_the_precision(
    rows: list[tuple[int, bool, float]], precision: float, least: int
) -> None:
    predicted = np.array([label for label, _, _ in rows])
    right = np.array([was for _, was, _ in rows])
    confidence = np.array([score for _, _, score in rows])
    actual = np.where(right, predicted, (predicted + 1) % 3)
    probabilities = np.tile(((1 - confidence) / 2)[:, None], 3)
    probabilities[np.arange(len(rows)), predicted] = confidence
    chosen = thresholds(probabilities, actual, precision, least)
    for label in range(3):
        mine = predicted == label
        answered = mine & (confidence >= chosen[label])
        if chosen[label] < 1 and answered.any():
            assert right[answered].mean() >= precision
            assert answered.sum() >= least
        # No lower threshold would do: every longer list of answers falls short.
        for lower in np.unique(confidence[mine & ~answered]):
            more = mine & (confidence >= lower)
            assert right[more].mean() < precision or more.sum() < least


def test_a_hopeless_label_is_never_answered() -> None:
    probabilities = np.tile([0.9, 0.1], (100, 1))
    chosen = thresholds(probabilities, np.ones(100, int), 0.9)
    assert chosen.tolist() == [1, 1]


def test_too_few_rows_prove_nothing() -> None:
    probabilities = np.tile([0.9, 0.1], (19, 1))
    assert thresholds(probabilities, np.zeros(19, int), 0.9)[0] == 1
    probabilities = np.tile([0.9, 0.1], (20, 1))
    assert thresholds(probabilities, np.zeros(20, int), 0.9)[0] == pytest.approx(0.9, abs=1e-4)


def test_rows_that_count_more_raise_the_threshold() -> None:
    """60 right answers at .9 and .7 each, 2 wrong ones at .7, of no label that there is."""
    sure = np.repeat([0.9, 0.7, 0.7], [60, 60, 2])
    probabilities = np.column_stack((sure, 1 - sure))
    actual = np.repeat([0, 0, 2], [60, 60, 2])
    assert thresholds(probabilities, actual, 0.96)[0] == pytest.approx(0.7, abs=1e-4)
    twice = np.where(actual == 2, 5.0, 1.0)
    assert thresholds(probabilities, actual, 0.96, each=twice)[0] == pytest.approx(0.9, abs=1e-4)


def test_thresholds_for_a_false_positive_rate() -> None:
    rng = np.random.default_rng(1)
    scores = rng.uniform(0.5, 1, 2000)
    labels = rng.integers(0, 2, 2000)
    probabilities = np.stack([scores, 1 - scores], 1)  # every row is predicted as 0
    for rate in (0.01, 0.1):
        chosen = thresholds_for_false_positives(probabilities, labels, rate)
        others = labels != 0
        wrong = (scores[others] >= chosen[0]).mean()
        assert rate - 0.002 < wrong <= rate
        assert chosen[1] == 0  # it is never predicted, so never wrongly
    assert thresholds_for_false_positives(probabilities, labels, 0.001)[0] == 1


def test_equal_scores_are_answered_together_or_not_at_all() -> None:
    probabilities = np.tile([0.9, 0.1], (400, 1))
    labels = np.repeat([0, 1], 200)
    chosen = thresholds_for_false_positives(probabilities, labels, 0.5)
    assert chosen[0] > 0.9
