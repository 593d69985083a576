"""Hashed n-grams are those of each row alone."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmist.text import ngrams

TEXTS = st.lists(st.binary(max_size=12), max_size=6)


def of(texts: list[bytes], bits: int = 20) -> list[Counter[tuple[int, int]]]:
    """(size, bucket) of each row with how often it occurs."""
    found: list[Counter[tuple[int, int]]] = [Counter() for _ in texts]
    for size, (rows, buckets) in zip(ngrams.SIZES, ngrams.hashed(texts, bits), strict=True):
        assert (np.diff(rows) >= 0).all()
        for row, bucket in zip(rows.tolist(), buckets.tolist(), strict=True):
            assert 0 <= bucket < 2**bits
            found[row][size, bucket] += 1
    return found


@given(TEXTS)
def test_a_row_does_not_see_the_rows_beside_it(texts: list[bytes]) -> None:
    assert of(texts) == [of([text])[0] for text in texts]
    assert ngrams.counts(texts).tolist() == [row.total() for row in of(texts)]


@given(st.binary(max_size=30), st.binary(max_size=30))
def test_equal_texts_and_no_others_have_equal_ngrams(one: bytes, other: bytes) -> None:
    assert of([one]) == of([one])
    if sorted(one) != sorted(other):  # single bytes alone tell them apart
        assert of([one], 32) != of([other], 32)


def test_sizes_and_ends() -> None:
    (row,) = of([b"ab"])
    assert Counter(size for size, _ in row) == {1: 4, 2: 3, 3: 2, 4: 1}
    first, second = of([b"abc", b"xbc"])
    assert len(first & second) == 7  # b, c and both ends; bc and c-end; bc-end
