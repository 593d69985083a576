"""A view that keeps the meaning keeps it; every view is the same by seed and takes any text."""

import shlex
import subprocess
import sys
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.errors import UsageError
from unmist.text import FIELDS, normalize
from unmist.text.views import vary, views
from unmist.text.views.view import GLYPHS, View

LABEL = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABEL, min_size=2, max_size=5).map(".".join)
URLS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "http://", "HTTPS://"]),
    NAMES,
    st.sampled_from(["", "/", "/a%20b.php?x=1&y=%C3%A9#top", "/~user/?q=a+b", "?id=3"]),
)
WORDS = st.lists(st.from_regex(r"-{0,2}[a-z]{1,9}", fullmatch=True), min_size=1, max_size=6)
LINES = WORDS.map(" ".join)
SHELLS = (
    "find . -type f -name passwd",
    "powershell.exe -nop Get-Process explorer",
    "net user administrator /active:yes",
    "cat /etc/passwd | grep root",
)
SEEDS = st.integers(0, 5)


def view(field: str, name: str) -> View:
    return next(view for view in views(field) if view.name == name)


@given(st.sampled_from(FIELDS), st.text() | NAMES | URLS | LINES, SEEDS)
def test_any_text_and_the_same_by_seed(field: str, text: str, seed: int) -> None:
    for one in views(field):
        other = vary(one, text, seed)
        assert other == vary(one, text, seed)
        assert other != text


def test_lone_surrogates_are_text_too() -> None:
    for field in FIELDS:
        for one in views(field):
            vary(one, "login\ud800.example.com", 1)


def test_the_seed_is_not_that_of_the_process() -> None:
    code = "from unmist.text.views import *; print(vary(views('hostname')[3], 'example.com', 7))"
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout.strip() == vary(view("hostname", "swap"), "example.com", 7)


def test_seeds_differ() -> None:
    assert len({vary(view("hostname", "swap"), "university-library.org", s) for s in range(20)}) > 5


def test_an_unknown_field() -> None:
    with pytest.raises(UsageError, match="no field kind 'host'"):
        views("host")


@given(NAMES | st.text(), SEEDS)
def test_host_invariances_are_one_name_once_normalised(text: str, seed: int) -> None:
    for one in views("hostname"):
        other = vary(one, text, seed)
        if other is not None and not one.evasion:
            assert normalize(other, "hostname") == normalize(text, "hostname")


def test_every_host_view_applies_to_a_plain_name() -> None:
    made = {one.name: vary(one, "login.example.com") for one in views("hostname")}
    assert None not in made.values()
    assert made["trailing_dot"] == "login.example.com."
    assert made["www"] == "www.login.example.com"
    assert made["prepend_benign"].endswith(".login.example.com")
    assert made["append_benign"].startswith("login.example.com.")
    assert made["homoglyph_punycode"].isascii()
    assert made["homoglyph_punycode"].startswith("login.xn--")


@given(NAMES, SEEDS)
def test_host_evasions(name: str, seed: int) -> None:
    other = vary(view("hostname", "swap"), name, seed)
    assert other is None or sorted(other) == sorted(name)
    other = vary(view("hostname", "homoglyph"), name, seed)
    back = {glyph: letter for letter, glyph in GLYPHS.items()}
    assert other is None or "".join(back.get(c, c) for c in other) == name
    for one in views("hostname"):
        other = vary(one, name, seed)
        assert other is None or len(other) <= 253


def test_long_names_are_not_made_longer_than_a_name_can_be() -> None:
    name = ".".join(["a" * 60] * 4)
    for kind in ("prepend_benign", "append_benign", "pad_start", "pad_end"):
        assert vary(view("hostname", kind), name) is None


@given(URLS | st.text(), SEEDS)
def test_url_invariances(text: str, seed: int) -> None:
    for name in ("random_case", "trailing_dot", "www", "percent_encoding"):
        other = vary(view("url", name), text, seed)
        if other is None:
            continue
        if name == "random_case":
            assert other.lower() == text.lower()
        elif name == "percent_encoding":
            assert unquote_to_bytes(other.encode("utf-8", "surrogatepass")) == unquote_to_bytes(
                text.encode("utf-8", "surrogatepass")
            )
        else:
            assert len(other) == len(text) + (1 if name == "trailing_dot" else 4)


def test_the_path_of_a_url_keeps_its_case() -> None:
    other = vary(view("url", "random_case"), "http://example.com/Index.html?Q=a#T", 3)
    assert other is not None
    assert other.endswith("/Index.html?Q=a#T")


@given(st.text(), SEEDS)
def test_encoded_values_of_a_form_mean_the_same(text: str, seed: int) -> None:
    for form in (text, f"x={text}"):
        other = vary(view("http", "percent_encoding"), form, seed)
        if other is not None:
            sides = (side.encode("utf-8", "surrogatepass") for side in (form, other))
            assert len({unquote_to_bytes(side) for side in sides}) == 1


@given(LINES | st.sampled_from(SHELLS) | st.text(), SEEDS)
def test_quoting_gives_a_program_the_same_arguments(line: str, seed: int) -> None:
    other = vary(view("command", "quoting"), line, seed)
    if other is None:
        return
    try:
        arguments = shlex.split(line)
    except ValueError:  # a quote without its other half, further on
        return
    assert shlex.split(other) == arguments


@given(LINES | st.sampled_from(SHELLS), SEEDS)
def test_what_a_shell_drops(line: str, seed: int) -> None:
    for name, sign, stands_for in (
        ("caret", "^", ""),
        ("backtick", "`", ""),
        ("ifs", "${IFS}", " "),
    ):
        other = vary(view("command", name), line, seed)
        assert other is None or other.replace(sign, stands_for) == line
    other = vary(view("command", "random_case"), line, seed)
    assert other is None or other.lower() == line.lower()


def test_each_shell_has_its_own_evasion() -> None:
    applied = {
        line: [n for n in ("caret", "backtick", "ifs") if vary(view("command", n), line)]
        for line in SHELLS
    }
    assert list(applied.values()) == [["ifs"], ["backtick"], ["caret"], ["ifs"]]


@given(st.sampled_from(FIELDS), st.text(min_size=1), SEEDS)
def test_padding_leaves_the_text_where_it_is(field: str, text: str, seed: int) -> None:
    if field in ("hostname", "url"):
        return
    for one in views(field):
        if one.name.startswith("pad_"):
            other = vary(one, text, seed)
            assert other is None or text in other


def test_some_evasions_are_kept_from_learning() -> None:
    for field in FIELDS:
        kept = [one for one in views(field) if not one.learnt]
        assert kept
        assert all(one.evasion for one in kept)
        assert any(one.learnt for one in views(field))


@given(NAMES, SEEDS)
def test_one_letter_more_or_less(name: str, seed: int) -> None:
    for kind, longer in (("double", 1), ("drop", -1), ("hyphen", 1)):
        other = vary(view("hostname", kind), name, seed)
        if other is not None:
            assert len(other) == len(name) + longer
            assert other.count(".") == name.count(".")
            assert [label[:1] for label in other.split(".")] == [
                label[:1] for label in name.split(".")
            ]
    hyphened = vary(view("hostname", "hyphen"), "paypal.com", seed)
    assert hyphened is not None
    assert hyphened.replace("-", "") == "paypal.com"


@pytest.mark.parametrize("line", SHELLS)
def test_empty_quotes_mean_nothing(line: str) -> None:
    other = vary(view("command", "empty_quotes"), line)
    assert other is not None
    assert other.replace('""', "", 1) == line
    if "|" not in line:
        assert shlex.split(other) == shlex.split(line)


@given(LINES, SEEDS)
def test_tabs_part_words_as_spaces_do(line: str, seed: int) -> None:
    other = vary(view("command", "tabs"), line, seed)
    assert other is None or shlex.split(other) == shlex.split(line)


def test_tabs_in_payloads() -> None:
    tabs = view("http", "tabs")
    assert vary(tabs, "1 or 1=1 --") == "1\tor\t1=1\t--"
    assert vary(tabs, "id=1+union%20select a") == "id=1%09union%09select%09a"
    assert vary(tabs, "id=1") is None


def test_a_separator_twice() -> None:
    double = view("path", "double_slash")
    assert vary(double, "/etc/passwd") == "/etc//passwd"
    assert vary(double, "C:\\Users") == "C:\\\\Users"
    assert vary(double, "id_rsa") is None
