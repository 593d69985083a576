"""A near miss differs from its text by one small change."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.text.fields import FIELDS
from unmist.train.misses import changed, near_miss


def drawn(text: str, field: str, count: int = 200) -> set[str]:
    return {near_miss(text, field, random.Random(seed)) for seed in range(count)}


@given(st.text(max_size=30), st.sampled_from(sorted(FIELDS)), st.integers(0, 1000))
def test_it_is_another_text(text: str, field: str, seed: int) -> None:
    miss = near_miss(text, field, random.Random(seed))
    assert miss != text
    assert abs(len(miss) - len(text)) <= 4


@given(st.text(max_size=30), st.integers(0, 1000))
def test_one_character_changes(text: str, seed: int) -> None:
    other = changed(text, random.Random(seed))
    assert other != text
    assert abs(len(other) - len(text)) <= 1


def test_the_same_seed_makes_the_same() -> None:
    one, other = (near_miss("cat a | sh", "command", random.Random(5)) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("command", "a && b", {"a || b", "a ; b", "a > b"}),
        ("command", "echo $HOME", {"echo \\$HOME"}),
        ("path", "/etc/passwd", {"/etc/passwd-", "/etc/.passwd"}),
        ("http", "id=1", {"id=1'", "id=1;", "id=1<"}),
        ("hostname", "paypal.com", {"paypa1.com"}),
    ],
)
def test_what_counts_in_a_field(field: str, text: str, expected: set[str]) -> None:
    assert expected <= drawn(text, field)


def test_a_hostname_gets_no_signs_of_a_shell() -> None:
    assert not any(set(miss) & set("(>&") for miss in drawn("mail.example.com", "hostname"))
