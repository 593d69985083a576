"""One spelling for what means the same; anything else passes."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from unmist.text import FIELDS, cut, normalize
from unmist.text.normalize import MAX_BYTES

ELLIPSIS = "\u2026".encode()
ANY_TEXT = st.text(st.characters(exclude_categories=()))
# Text made of the pieces that normalisation looks for, in every order.
PIECES = st.sampled_from(
    [
        *("www.", "*.", ".", ":80", ":", "/", "//", "https://", "a", "com", "xn--", "[::1]"),
        *" \x1c\u3002\uff0e\u00fc\u00df\u0130\uff1a\u00ad\u2100\u200d",
    ]
)


@pytest.mark.parametrize(
    "spelling",
    [
        "mail.example.com",
        "MAIL.Example.COM",
        "mail.example.com.",
        "mail.example.com..",
        " mail.example.com\r\n",
        "www.mail.example.com",
        "WWW.mail.example.com.",
        "*.mail.example.com",
        "*.www.mail.example.com",
        "mail.example.com:8443",
        "mail.example.com.:53",
        "https://mail.example.com",
        "HTTPS://mail.example.com:8443/login?next=http://a/b",
        "mail.example.com/",
        b"mail.Example.com",
    ],
)
def test_spellings_of_one_name(spelling: str | bytes) -> None:
    assert normalize(spelling, "hostname") == "mail.example.com"


@pytest.mark.parametrize(
    ("name", "a_label"),
    [
        ("b\u00fccher.example", "xn--bcher-kva.example"),
        ("B\u00dcCHER.example.", "xn--bcher-kva.example"),
        ("www.b\u00fccher.example", "xn--bcher-kva.example"),
        ("www\uff0eb\u00fccher\u3002example\u3002", "xn--bcher-kva.example"),
        ("\u4f8b\u3048.jp:443", "xn--r8jz45g.jp"),
    ],
)
def test_u_labels_become_a_labels(name: str, a_label: str) -> None:
    assert normalize(name, "hostname") == normalize(a_label, "hostname") == a_label


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("www.com", "www.com"),  # the registered name itself
        ("www", "www"),
        ("www2.example.com", "www2.example.com"),
        ("a_b.example.com", "a_b.example.com"),
        ("\U0001f600\u00a0.\u2603 !", "\U0001f600\u00a0.\u2603 !"),  # no A-labels; stays as it is
        ("2001:db8::1", "2001:db8::1"),
        ("", ""),
        ("...", ""),
    ],
)
def test_names_that_must_not_lose_anything(name: str, expected: str) -> None:
    assert normalize(name, "hostname") == expected


@given(st.one_of(ANY_TEXT, st.lists(PIECES, max_size=12).map("".join)))
@example("a.com:80:90")
@example("*.*.a.com")
@example("www.www.a.com")
@example("a /b")
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalize(text, "hostname")
    assert normalize(once, "hostname") == once


@given(st.one_of(st.binary(), ANY_TEXT), st.sampled_from(FIELDS))
def test_nothing_raises_and_bytes_stay_only_when_not_utf8(text: str | bytes, field: str) -> None:
    result = normalize(text, field)
    if isinstance(text, str):
        assert isinstance(result, str)
        assert field in ("hostname", "url") or result == text
    else:
        try:
            assert result == normalize(text.decode(), field)
        except UnicodeDecodeError:
            assert result == text


@pytest.mark.parametrize(
    "piece", ["www.", "*.", ":80", ".", " ", "a.", "\u00fc", "\u00fc.", "/", "a:", "xn--", "www. "]
)
def test_time_is_linear(piece: str) -> None:
    """A megabyte would take minutes if any step were quadratic."""
    began = time.process_time()
    normalize(piece * (1_000_000 // len(piece)) + "x", "hostname")
    normalize("x" + piece * (1_000_000 // len(piece)), "hostname")
    assert time.process_time() - began < 5


@given(st.one_of(st.binary(max_size=200), ANY_TEXT), st.integers(20, 100))
def test_cut_keeps_both_ends_within_the_limit(text: str | bytes, limit: int) -> None:
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    result, was_cut = cut(text, limit)
    assert was_cut == (len(data) > limit)
    if not was_cut:
        assert result == text
        return
    assert isinstance(result, bytes)
    assert len(result) == limit
    half = (limit - len(ELLIPSIS)) // 2
    assert result[:half] == data[:half]
    assert result[half : half + len(ELLIPSIS)] == ELLIPSIS
    assert data.endswith(result[half + len(ELLIPSIS) :])
    assert len(result[half + len(ELLIPSIS) :]) >= half


def test_the_limit_by_default() -> None:
    assert cut("a" * MAX_BYTES) == ("a" * MAX_BYTES, False)
    text, was_cut = cut("\u00fc" * MAX_BYTES)
    assert was_cut
    assert len(text) == MAX_BYTES


@pytest.mark.parametrize(
    "spelling",
    [
        "example.com/Login?Next=%2Fa",
        "http://example.com/Login?Next=%2Fa",
        "HTTPS://WWW.Example.COM:443/Login?Next=%2Fa",
        " http://www.example.com:80/Login?Next=%2Fa\n",
    ],
)
def test_spellings_of_a_url(spelling: str) -> None:
    assert normalize(spelling, "url") == "example.com/Login?Next=%2Fa"


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("example.com:8080/a", "example.com:8080/a"),
        ("www.com/a", "www.com/a"),
        ("a.com/go?u=http://B.com/", "a.com/go?u=http://B.com/"),
        ("/only/A/path", "/only/A/path"),
        ("", ""),
    ],
)
def test_what_means_something_in_a_url_stays(url: str, kept: str) -> None:
    assert normalize(url, "url") == kept
