"""An even sample: the shares add up, and it is the same each time."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.errors import InputError, UsageError
from unmist.evaluate.sample import sample, shares


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.data())
def test_shares_are_even_and_add_up(sizes, data):
    rows = data.draw(st.integers(0, sum(sizes)))
    given_ = shares(sizes, rows)
    assert sum(given_) == rows
    assert all(0 <= got <= size for got, size in zip(given_, sizes, strict=True))
    # A list that was not emptied gives as many as any other, but for rounding.
    rest = [got for got, size in zip(given_, sizes, strict=True) if got < size]
    assert not rest or max(given_) - min(rest) <= 1


@pytest.fixture
def lists(tmp_path):
    (tmp_path / "long.txt").write_text("".join(f"l{i}.example\n" for i in range(100)))
    (tmp_path / "short.txt.gz").write_bytes(gzip.compress(b"s1.example\ns2.example\n"))
    return tmp_path


def test_same_each_time_and_the_larger_holds_the_smaller(lists):
    few, many = sample(lists, 10), sample(lists, 30)
    assert few == sample(lists, 10)
    assert set(few) <= set(many)
    assert [source for _, source in few] == ["long"] * 8 + ["short"] * 2
    assert few != sample(lists, 10, seed=1)


def test_too_many_or_no_lists(lists, tmp_path):
    with pytest.raises(UsageError, match="the lists hold 102 rows"):
        sample(lists, 103)
    with pytest.raises(InputError, match="no lists"):
        sample(tmp_path / "empty", 1)
