"""Rows are drawn by whole groups, the same ones for a seed."""

from pathlib import Path

from unmist.evaluate.compare.rows import Limits, by_group, fingerprint, read
from unmist.labelled.data import Example

ROWS = [Example(f"{group}{i}.com", "news", group) for group in "abcdefgh" for i in range(3)]


def test_whole_groups_within_the_limit() -> None:
    chosen = by_group(ROWS, 10, seed=1)
    assert len(chosen) == 9
    assert all(sum(row.group == g for row in chosen) in (0, 3) for g in "abcdefgh")
    assert chosen == by_group(ROWS, 10, seed=1)
    assert chosen != by_group(ROWS, 10, seed=2)
    assert by_group(ROWS, 0, seed=1) == ROWS == by_group(ROWS, 24, seed=1)


def test_a_group_too_large_is_left_out() -> None:
    rows = [*ROWS, *(Example(f"z{i}", "news", "z") for i in range(30))]
    assert {row.group for row in by_group(rows, 24, seed=1)} == set("abcdefgh")


def test_a_task(data_folder: Path) -> None:
    data = read(data_folder, "host-category", Limits(train=100, dev=20))
    assert (data.field, data.labels) == ("hostname", ["education", "gambling", "news"])
    assert (len(data.train), len(data.dev), len(data.test)) == (100, 20, 200)
    assert len(data.every) > 100
    assert data.numbers([Example("x", "news", "x"), Example("x", "art", "x")]).tolist() == [2, -1]
    other = read(data_folder, "host-category", Limits(train=100, dev=20, seed=2))
    assert fingerprint(data) != fingerprint(other)
