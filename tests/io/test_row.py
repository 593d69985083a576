import pytest

from unmist.io.row import MAX_LINE_BYTES, MAX_TEXT_BYTES, ReadCounts, bad_row, clip_text, value_row


@pytest.mark.parametrize(
    ("value", "text", "problem"),
    [
        ("example.com", "example.com", None),
        (b"example.com", "example.com", None),
        ("b\u00fccher.de".encode(), "b\u00fccher.de", None),
        (b"a\xffb", "a\\xffb", "invalid_utf8"),
        ("", "", "empty"),
        (b" \t", " \t", "empty"),
        (b"a\0b", "a\0b", "nul_byte"),
        ("a\0b", "a\0b", "nul_byte"),
    ],
)
def test_value_row_checks(value: str | bytes, text: str, problem: str | None) -> None:
    row = value_row(value, "f", 3)
    assert (row.text, row.source, row.line, row.problem) == (text, "f", 3, problem)


def test_a_long_value_below_the_line_limit_is_kept_whole() -> None:
    assert value_row("a" * MAX_LINE_BYTES, "f", 1).problem is None
    assert len(value_row("a" * MAX_LINE_BYTES, "f", 1).text) == MAX_LINE_BYTES


def test_an_over_long_value_keeps_both_ends() -> None:
    row = value_row("start" + "x" * MAX_LINE_BYTES + "end", "f", 1)
    assert row.problem == "line_too_long"
    assert row.text.startswith("start")
    assert row.text.endswith("end")
    assert len(row.text.encode()) <= MAX_TEXT_BYTES


@pytest.mark.parametrize("character", ["a", "\u00e9", "\u20ac", "\U0001f600"])
def test_clip_never_splits_a_character(character: str) -> None:
    clipped = clip_text("x" + character * MAX_TEXT_BYTES)
    assert MAX_TEXT_BYTES - 10 < len(clipped.encode()) <= MAX_TEXT_BYTES
    assert set(clipped) == {"x", character, "…"}
    assert clip_text(character * 10) == character * 10


def test_bad_row_clips_after_escaping() -> None:
    row = bad_row(b"\xff" * MAX_TEXT_BYTES, "malformed_json", "f", 1)
    assert len(row.text.encode()) <= MAX_TEXT_BYTES
    assert row.text.startswith("\\xff\\xff")


def test_counts_total() -> None:
    assert ReadCounts(rows=1, bad=2, filtered=4).total == 7
