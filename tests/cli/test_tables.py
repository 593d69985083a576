"""Text for terminals: harmless, and as wide as it says."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmist.cli.tables import display_width, facts, fit
from unmist.visible import visible

# A busy machine is no reason to fail.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@patient
@given(st.text())
def test_visible_text_is_printable(text):
    assert visible(text).isprintable()


@patient
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_visible_leaves_plain_text_alone(text):
    assert visible(text) == text


@patient
@given(st.text(), st.integers(4, 60))
def test_a_cut_cell_has_its_width(text, width):
    assert display_width(fit(visible(text), width, cut=True)) == width


@pytest.mark.parametrize(
    ("text", "fitted"),
    [
        ("abc", "abc  "),
        ("abcdefgh", "abcd…"),
        ("日本語", "日本…"),
        ("e" + "\u0301" * 40, "e" + "\u0301" * 8 + "…   "),
    ],
)
def test_fit(text, fitted):
    assert fit(text, 5, cut=True) == fitted


def test_facts_are_aligned_and_nested():
    values = {"size": 1234567, "tasks": {"a": ["x", "y"], "long": None}, "ok": True}
    assert facts(values) == [
        "size   1,234,567",
        "tasks",
        "  a     x, y",
        "  long  -",
        "ok     yes",
    ]
