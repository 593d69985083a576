"""A run that was cut off goes on where it stood, and never with other settings."""

from pathlib import Path

import numpy as np
import pytest

from unmist.errors import UsageError
from unmist.evaluate.compare.store import Store

KEY = {"model": "a/b c", "how": "whole", "task": "t", "seed": 1, "weights": "0", "data": "1"}


def test_goes_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "out.json", tmp_path / "work", {"rows": 2})
    assert not store.has(KEY)
    store.add({**KEY, "accuracy": 0.5}, np.array([1, -1, 0]))
    again = Store(tmp_path / "out.json", tmp_path / "work", {"rows": 2})
    assert again.has(KEY)
    assert not again.has({**KEY, "weights": "2"})
    assert again.predicted(KEY).tolist() == [1, -1, 0]
    again.add({**KEY, "weights": "2"}, np.array([0, 0, 0]))
    assert [fit["weights"] for fit in again.fits] == ["2"]
    with pytest.raises(UsageError, match=r"other settings \(rows\)"):
        Store(tmp_path / "out.json", tmp_path / "work", {"rows": 3})


def test_answers_that_are_gone_are_given_again(tmp_path: Path) -> None:
    store = Store(tmp_path / "out.json", tmp_path / "work", {})
    store.add(dict(KEY), np.array([1]))
    elsewhere = Store(tmp_path / "out.json", tmp_path / "other", {})
    assert not elsewhere.has(KEY)
