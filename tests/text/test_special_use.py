"""Names that no public list can hold, told from those that one can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.text import is_special_use, normalize


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "wpad",
        "printer.local",
        "_dns-sd._udp.local",
        "1.0.168.192.in-addr.arpa",
        "dc01.corp.internal",
        "nas.lan",
        "mail.example.com",
        "example.org.",
        "10.0.0.1",
        "fe80::1",
        "",
    ],
)
def test_special(name: str) -> None:
    assert is_special_use(normalize(name, "hostname"))


@pytest.mark.parametrize(
    "name", ["bbc.co.uk", "local.ch", "example.de", "notexample.com", "1.2.3.4.5.com", "abc.onion"]
)
def test_public(name: str) -> None:
    assert not is_special_use(normalize(name, "hostname"))


@given(st.one_of(st.text(), st.binary()))
def test_any_text_has_an_answer(text: str | bytes) -> None:
    assert is_special_use(normalize(text, "hostname")) in (True, False)
