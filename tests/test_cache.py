"""The cache of answers: what it keeps, and that no answer shows whether it was used."""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import unmist
from unmist.cache import MAX_TEXT, Cache
from unmist.errors import UsageError
from unmist.model import Model

TASK = "host-category"
NAMES = ("casino-lake.com", "greenuniversity.org", "royal-tribune.net", "x", "mail.x", "a.b.c.d")


def row(number: float) -> np.ndarray:
    return np.array([[number, number + 0.25]], np.float32)


def read(found: bytes | None) -> list[float]:
    assert found is not None
    return np.frombuffer(found, np.float32).tolist()


def test_what_was_kept_is_found_under_its_task_and_text_only() -> None:
    cache = Cache(8)
    cache.keep("one", ["a", b"\xff"], np.concatenate([row(1), row(2)]))
    first, second, *others = cache.find("one", ["a", b"\xff", "b"]) + cache.find("two", ["a"])
    assert (read(first), read(second)) == ([1, 1.25], [2, 2.25])
    assert others == [None, None]
    assert cache.info() == (2, 2, 2, 8)


def test_no_room_keeps_and_counts_nothing() -> None:
    cache = Cache(0)
    cache.keep("one", ["a"], row(1))
    assert cache.find("one", ["a"]) == [None]
    assert cache.info() == (0, 0, 0, 0)


def test_long_texts_are_not_kept() -> None:
    cache = Cache(8)
    texts = ["x" * MAX_TEXT, "x" * (MAX_TEXT + 1)]
    cache.keep("one", texts, np.concatenate([row(1), row(2)]))
    assert [found is None for found in cache.find("one", texts)] == [False, True]


def test_clearing_forgets() -> None:
    cache = Cache(8)
    cache.keep("one", ["a"], row(1))
    cache.find("one", ["a"])
    cache.clear()
    assert cache.info() == (0, 0, 0, 8)
    assert cache.find("one", ["a"]) == [None]


@given(st.integers(1, 4), st.lists(st.tuples(st.booleans(), st.integers(0, 7)), max_size=60))
def test_the_least_recently_used_goes_first(limit: int, steps: list[tuple[bool, int]]) -> None:
    cache, expected = Cache(limit), OrderedDict[int, None]()
    for keeps, number in steps:
        found = cache.find("t", [str(number)])[0]
        assert (found is not None) == (number in expected)
        if found is not None:
            assert read(found) == [number, number + 0.25]
            expected.move_to_end(number)
        elif keeps:
            cache.keep("t", [str(number)], row(number))
            expected[number] = None
        while len(expected) > limit:
            expected.popitem(last=False)
        assert cache.info().entries == len(expected)


@pytest.fixture(scope="module")
def models(tiny_model_folder: Path) -> tuple[Model, Model]:
    """Without a cache, and with a small one."""
    without = unmist.load(tiny_model_folder, threads=1, cache=0)
    return without, unmist.load(tiny_model_folder, threads=1, cache=3)


@given(st.lists(st.sampled_from(NAMES), max_size=20))
def test_no_bit_of_an_answer_changes(models: tuple[Model, Model], names: list[str]) -> None:
    without, cached = models
    for name in names:
        assert cached.classify([name]) == without.classify([name])
        ours, theirs = (model.probabilities([name]) for model in (cached, without))
        assert ours.tobytes() == theirs.tobytes()


@given(st.lists(st.lists(st.sampled_from(NAMES), max_size=8), max_size=4))
def test_an_answer_that_is_kept_is_given_again_to_the_bit(
    tiny_model: Model, calls: list[list[str]]
) -> None:
    tiny_model.cache_clear()
    given_before: dict[str, bytes] = {}
    for names in calls:
        for name, odds in zip(names, tiny_model.probabilities(names), strict=True):
            assert given_before.setdefault(name, odds.tobytes()) == odds.tobytes()
    info = tiny_model.cache_info()
    assert (info.entries, info.misses) == (len(given_before), len(given_before))
    assert info.hits == sum(len(set(names)) for names in calls) - len(given_before)


def test_spellings_of_one_name_share_an_answer(tiny_model: Model) -> None:
    tiny_model.cache_clear()
    tiny_model.classify(["casino-lake.com"])
    verdicts = tiny_model.classify(["www.Casino-Lake.com.", b"CASINO-LAKE.COM"])
    assert tiny_model.cache_info()[:2] == (1, 1)
    assert [v.text for v in verdicts] == ["www.Casino-Lake.com.", "CASINO-LAKE.COM"]


def test_a_cut_text_is_not_kept(tiny_model: Model) -> None:
    # Its verdict says that it was cut, which a row of probabilities does not.
    long = ".".join(["abc9"] * 50)
    assert len(long) <= MAX_TEXT
    tiny_model.cache_clear()
    tiny_model.classify([long, "x"])
    assert tiny_model.cache_info().entries == 1


def test_the_size_is_checked(tiny_model_folder: Path) -> None:
    with pytest.raises(UsageError, match="cache=-1"):
        unmist.load(tiny_model_folder, cache=-1)
