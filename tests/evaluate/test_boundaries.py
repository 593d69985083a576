"""Gold boundaries of each kind, and the score of cuts against them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.evaluate.boundaries import GOLD, Agreement, Gold, compare


def parts(kind: str, text: str) -> list[str]:
    return [text[start:stop] for start, stop in GOLD[kind](text).spans]


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("hostname", "mail.google.co.uk", ["mail", "google", "co.uk"]),
        ("hostname", "com", ["com"]),
        ("url", "https://a.b.com/x/y.php?id=5&z=q#top", [
            "https", "a", "b", "com", "x", "y.php", "id", "5", "z", "q", "top"]),
        ("url", "b.com:8080/x", ["b", "com", "8080", "x"]),
        ("path", "C:\\Windows\\cmd.exe", ["C:", "Windows", "cmd", "exe"]),
        ("path", "/etc/.profile", ["etc", ".profile"]),
        ("command", "grep -r 'a b' \"c\"", ["grep", "-r", "a b", "c"]),
        ("header", "Mozilla/5.0 (X11; Linux)", ["Mozilla", "5.0", "X11", "Linux"]),
        ("encoded", "id=7&x=65722E636F6D2F62", ["id", "7", "x", "65722E636F6D2F62"]),
        ("encoded", "q=%3Cscript%20%2F", ["q", "3Cscript", "%20%2F"]),
    ],
)  # fmt: skip
def test_gold(kind: str, text: str, expected: list[str]) -> None:
    assert parts(kind, text) == expected


@given(st.sampled_from(sorted(GOLD)), st.text(max_size=60))
def test_spans_are_in_order_and_inside_of_any_text(kind: str, text: str) -> None:
    gold = GOLD[kind](text)
    ends = [position for span in gold.spans for position in span]
    assert ends == sorted(ends)
    assert all(start < stop <= len(text) for start, stop in gold.spans)
    perfect = compare(gold, [position for span in gold.spans for position in span])
    assert perfect == Agreement(perfect.joints, 0, perfect.joints)


def test_a_separator_may_go_with_either_side() -> None:
    gold = Gold([(0, 4), (5, 11)])
    for cuts in ([4], [5], [4, 5]):
        assert compare(gold, cuts).f1 == 1
    assert compare(gold, []).f1 == 0
    assert compare(gold, [4, 7]) == Agreement(1, 1, 1)


def test_cuts_between_codes_are_neutral_and_inside_a_code_wrong() -> None:
    gold = GOLD["encoded"]("a=%20%2F%3C")
    assert compare(gold, [1, 5, 8]) == Agreement(1, 0, 1)
    assert compare(gold, [1, 4, 5]) == Agreement(1, 1, 1)
