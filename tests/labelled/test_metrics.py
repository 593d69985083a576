"""Our scores are scikit-learn's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score

from unmist.labelled import metrics
from unmist.labelled.task import score

LABELS = 4
PAIRS = st.lists(
    st.tuples(st.integers(0, LABELS - 1), st.integers(0, LABELS - 1)), min_size=1, max_size=50
).map(lambda pairs: np.array(pairs).T)


@given(PAIRS)
def test_macro_f1(pairs: np.ndarray) -> None:
    actual, predicted = pairs
    expected = f1_score(actual, predicted, average="macro", zero_division=0)
    assert metrics.macro_f1(actual, predicted, LABELS) == pytest.approx(expected)


@given(PAIRS)
def test_f1_of_one_label(pairs: np.ndarray) -> None:
    actual, predicted = pairs
    for label in range(LABELS):
        expected = f1_score(actual == label, predicted == label, zero_division=0)
        assert metrics.f1(actual == label, predicted == label) == pytest.approx(expected)


def test_a_label_the_model_does_not_have_is_always_wrong_and_not_averaged() -> None:
    actual, predicted = np.array([0, 0, -1]), np.array([0, 0, 1])
    assert metrics.macro_f1(actual, predicted, 2) == pytest.approx((1 + 0) / 2)


def test_calibration_error_by_hand() -> None:
    confidence = np.array([0.95, 0.96, 0.97, 0.98, 0.5, 0.5])
    correct = np.array([True, True, True, False, True, True])
    upper = abs(0.75 - 0.965) * 4 / 6
    lower = abs(1.0 - 0.5) * 2 / 6
    error = metrics.expected_calibration_error(correct, confidence)
    assert error == pytest.approx(upper + lower)


def test_calibration_error_at_the_ends() -> None:
    assert metrics.expected_calibration_error(np.array([True]), np.array([1.0])) == 0
    assert metrics.expected_calibration_error(np.array([False]), np.array([1.0])) == 1


def test_calibration_error_by_chance_falls_with_the_rows() -> None:
    few, many = (
        metrics.calibration_error_by_chance(np.linspace(0.3, 0.99, n)) for n in (50, 5_000)
    )
    assert 0.05 < few < 0.2
    assert 0 < many < few / 5
    assert metrics.calibration_error_by_chance(np.ones(10)) == 0


@given(PAIRS, st.floats(0.3, 0.9))
def test_score(pairs: np.ndarray, threshold: float) -> None:
    actual, predicted = pairs
    confidence = np.linspace(0.3, 0.99, len(actual))
    probabilities = np.tile(((1 - confidence) / (LABELS - 1))[:, None], LABELS)
    probabilities[np.arange(len(actual)), predicted] = confidence
    labels = ["a", "b", "c", "d"]
    result = score(probabilities, actual, np.full(LABELS, threshold), labels)
    answered = confidence >= threshold
    assert result["accuracy"] == pytest.approx((actual == predicted).mean(), abs=1e-4)
    assert result["coverage"] == pytest.approx(answered.mean(), abs=1e-4)
    if not answered.any():
        assert result["answered_accuracy"] is None
        assert result["precision"] == {}
        return
    right = (actual == predicted)[answered].mean()
    assert result["answered_accuracy"] == pytest.approx(right, abs=1e-4)
    expected = precision_score(
        actual[answered], predicted[answered], labels=range(LABELS), average=None, zero_division=0
    )
    for label, precision in result["precision"].items():
        assert precision == pytest.approx(expected[labels.index(label)], abs=1e-4)
