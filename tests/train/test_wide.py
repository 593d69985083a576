"""Wide heads: what they learn, and with what weights."""

import numpy as np
import pytest

from unmist.train import wide

BITS = 12
TEXTS = [b"alpha one", b"alpha two", b"beta one", b"beta two", b"common beta", b"common alpha"]
LABELS = np.array([0, 0, 1, 1, 1, 0])


def test_rarity_is_higher_for_what_few_rows_have_and_rows_have_length_1_in_the_mean() -> None:
    grams = wide.matrix(TEXTS, BITS)
    rare = wide.rarity(grams)
    rows_with = np.bincount(grams.indices, minlength=2**BITS)
    once, most = rare[rows_with == 1], rare[rows_with == rows_with.max()]
    assert rows_with.max() == len(TEXTS)
    assert once.min() > most.max()
    lengths = np.asarray(grams.multiply(rare).power(2).sum(1)).ravel()
    assert np.mean(lengths) == pytest.approx(1, rel=1e-4)


@pytest.mark.parametrize("scaled", [False, True])
def test_weights_are_for_counts_as_they_are(scaled: bool) -> None:
    grams = wide.matrix(TEXTS, BITS)
    rare = wide.rarity(grams) if scaled else None
    weight, bias = wide.train(grams, LABELS, 2, rarity=rare)
    assert weight.shape == (2**BITS, 2)
    assert ((grams @ weight + bias).argmax(1) == LABELS).all()


def test_out_of_fold_does_not_know_a_row_of_its_own_group() -> None:
    texts = [b"same text"] * 4 + [b"other words"] * 4 + [b"same text"] * 4
    labels = np.array([0] * 4 + [1] * 4 + [1] * 4)  # the last group contradicts the first
    groups = ["a"] * 4 + ["b"] * 4 + ["c"] * 4
    grams = wide.matrix(texts, BITS)
    for rare in (None, wide.rarity(grams)):
        held = wide.out_of_fold(grams, labels, 2, groups, rarity=rare)
        own = wide.train(grams[:8], labels[:8], 2, rarity=rare)
        assert held.shape == (12, 2)
        assert (held[8:].argmax(1) == 0).all()  # told by group a alone
        assert (own[0].T @ grams[0].toarray().ravel() + own[1]).argmax() == 0
