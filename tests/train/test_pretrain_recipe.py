"""The learning rate over a run."""

import pytest

from unmist.train.pretrain_recipe import Recipe, rate_share


def test_the_learning_rate() -> None:
    how = Recipe(lr=1.0, warmup=0.1, decay=0.4)
    shares = [rate_share(how, progress) for progress in (0, 0.05, 0.1, 0.5, 0.8, 1.0, 1.1)]
    assert shares == pytest.approx([0, 0.5, 1, 1, 0.5, 0, 0])
