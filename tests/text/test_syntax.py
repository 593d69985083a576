"""Kinds that syntax alone tells, and texts that only look like them."""

import hashlib
import ipaddress
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.text import is_run, kind_by_syntax

TOLD = {
    "url": ["https://a.example/x?y=z", "HTTP://a.b", "hxxps://evil.example/x", b"ftp://a.b/\xff "],
    "other": [
        "10.0.0.1", "192.0.2.7:8443", "10.0.0.0/8", "2001:db8::1", "[2001:db8::1]:53", "::1",
        "d41d8cd98f00b204e9800998ecf8427e", "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709",
        "{818cdae7-aa71-4482-8ec9-12a8b549f448}", "00:1A:2b:3c:4d:5e", "S-1-5-21-1-2-3-1001",
        "john.smith+news@mail.example.com",
    ],
    "path": [
        "/etc/passwd", "/etc", "/home/a b/x.txt", "~/.ssh/id_rsa", "C:\\Windows", "c:\\a b\\c.exe",
        "\\\\server\\share\\x", "%APPDATA%\\x.dll", "HKLM\\Software\\Run", "report_2024.xlsx",
        "Budget (final).PDF", "cmd.exe", "wallet.dat",
    ],
}  # fmt: skip

OPEN = [
    "", " ", "curl -s http://a.b", "http://a.b | sh", "http://", "php://filter/resource=x",
    "a.casino-lake.com", "setup.zip", "readme.md", "run.sh", "/login.php?id=1", "/search/a",
    "1.2.3", "999.1.1.1", "abcdef", "deadbeef", "12345678",
    "fold -w 80 file.txt", "net user /domain",
    "cmd.exe /c dir", "C:\\Windows\\cmd.exe -enc aa", "/bin/sh -c id", "../../etc/passwd", "a@b",
    "cat /etc/passwd", "d41d8cd98f00b204e9800998ecf8427E", "hello world",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, texts in TOLD.items() for t in texts])
def test_kinds_without_doubt(kind: str, text: str | bytes) -> None:
    assert kind_by_syntax(text) == kind
    as_bytes = text if isinstance(text, bytes) else text.encode()
    assert kind_by_syntax(b" " + as_bytes + b"\r\n") == kind


@pytest.mark.parametrize("text", OPEN)
def test_the_rest_is_open(text: str) -> None:
    assert kind_by_syntax(text) is None


@given(st.ip_addresses(), st.uuids(), st.binary())
def test_every_address_identifier_and_digest_is_of_no_kind(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, one: uuid.UUID, data: bytes
) -> None:
    for text in (str(address), str(one), hashlib.sha256(data).hexdigest()):
        assert kind_by_syntax(text) == "other"


@given(st.one_of(st.binary(), st.text()))
def test_any_input_is_answered(text: str | bytes) -> None:
    assert kind_by_syntax(text) in (None, "url", "other", "path")


@pytest.mark.parametrize("piece", ["a.", "/etc/", "C:\\a", " -", "a@b.", "1:", "0.", "\\", "~/ "])
def test_a_long_text_is_answered(piece: str) -> None:
    """Hangs where a form goes back and forth."""
    assert kind_by_syntax(piece * 200_000) in (None, "path", "other")


@pytest.mark.parametrize(
    ("text", "run"),
    [
        ("curl http://192.0.2.1/x | sh", True),
        (b" sudo rm -rf /\xff\n", True),
        ("ping 8.8.8.8", True),
        ("/usr/bin/ssh root@192.0.2.1", True),
        ("C:\\Windows\\System32\\rundll32.exe a.dll,b", True),
        ("curl/7.68.0", False),
        ("curl 7.29.0 (x86_64-redhat-linux)", False),
        ("python-requests/2.31", False),
        ("whoami", False),
        ("network.example.com", False),
        ("", False),
    ],
)
def test_what_begins_like_a_command(text: str | bytes, run: bool) -> None:
    assert is_run(text) is run
