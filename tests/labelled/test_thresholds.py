"""What thresholds would do, counted by hand."""

import numpy as np

from unmist.labelled.thresholds import points

# Two labels; the last row carries a label that the model does not have.
PROBABILITIES = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7], [0.95, 0.05]])
ACTUAL = np.array([0, 0, 1, 1, -1])


def test_points() -> None:
    found = points(PROBABILITIES, ACTUAL, ["a", "b"], np.array([0.8, 1.0]), grid=(0.5, 0.92))
    assert [row["threshold"] for row in found["a"]] == [0.5, 0.8, 0.92]
    assert [row["chosen"] for row in found["a"]] == [False, True, False]
    low, own, high = found["a"]
    assert low["answered"] == 4
    assert low["precision"] == 0.5
    assert low["recall"] == 1
    assert low["false_positive_rate"] == round(2 / 3, 6)
    assert (own["answered"], own["precision"]) == (3, round(2 / 3, 6))
    assert (high["answered"], high["precision"], high["recall"]) == (1, 0, 0)
    never = found["b"][-1]
    assert (never["threshold"], never["answered"], never["precision"]) == (1, 0, None)
