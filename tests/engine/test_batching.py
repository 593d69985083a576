"""Every row goes through once, in batches that are neither huge nor mostly padding."""

import itertools

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmist.engine.batching import MAX_BATCH_TOKENS, MAX_PADDING, WORTH_ALONE, plan

ROWS = st.lists(
    st.one_of(st.integers(1, 24), st.integers(1, 512)).map(lambda n: list(range(1, n + 1))),
    max_size=300,
)


@given(ROWS)
def test_every_row_once_with_its_ids(rows: list[list[int]]) -> None:
    batches = plan(rows)
    seen = [int(row) for batch in batches for row in batch.rows]
    assert sorted(seen) == list(range(len(rows)))
    for batch in batches:
        assert batch.ids.dtype == np.int32
        assert len(batch.ids) == len(batch.rows)
        for row, ids in zip(batch.rows, batch.ids, strict=True):
            length = len(rows[row])
            assert ids[:length].tolist() == rows[row]
            assert not ids[length:].any()


@given(ROWS)
def test_no_batch_is_too_large_or_mostly_padding(rows: list[list[int]]) -> None:
    for batch in plan(rows):
        lengths = [len(rows[row]) for row in batch.rows]
        assert batch.ids.shape[1] == max(lengths)
        assert batch.ids.size <= MAX_BATCH_TOKENS or len(lengths) == 1
        padding = 1 - sum(lengths) / batch.ids.size
        assert padding <= MAX_PADDING or sum(lengths[:-1]) < WORTH_ALONE


@given(ROWS)
def test_batches_are_not_needlessly_small(rows: list[list[int]]) -> None:
    """A batch ends only for one of the two reasons."""
    batches = plan(rows)
    for batch, after in itertools.pairwise(batches):
        lengths = [len(rows[row]) for row in batch.rows]
        width = len(rows[after.rows[0]])
        size = (len(lengths) + 1) * width
        too_large = size > MAX_BATCH_TOKENS
        padding = 1 - (sum(lengths) + width) / size
        assert too_large or (sum(lengths) >= WORTH_ALONE and padding > MAX_PADDING)


def test_no_rows() -> None:
    assert plan([]) == []
