"""One spelling for what means the same, before a row is tokenised.

Only changes that keep the meaning are made here; whatever cannot be normalised passes unchanged,
because an odd spelling is itself a signal.
"""

import re
from typing import Final

import idna

MAX_BYTES: Final = 8192  # bytes of one text field; a longer one is cut, keeping both ends
_ELLIPSIS: Final = "\u2026".encode()
_MAX_NAME: Final = 253  # characters of a DNS name; a longer one has no A-label form
_PORT: Final = re.compile(r":[0-9]{1,5}")
_SCHEME: Final = re.compile(r"^[a-z][a-z0-9+.-]*://", re.IGNORECASE)


def normalize(text: str | bytes, field: str) -> str | bytes:
    """Text in the spelling the model was trained on.

    Args:
        text: any string or bytes. Bytes that are valid UTF-8 come back as ``str``.
        field: field kind, one of :data:`unmist.text.fields.FIELDS`.

    Returns:
        The normalised text; ``bytes`` only when the input is not valid UTF-8.
    """
    if isinstance(text, bytes):
        try:
            text = text.decode()
        except UnicodeDecodeError:
            return text
    if field == "hostname":
        return hostname(text)
    return url(text) if field == "url" else text


def url(text: str) -> str:
    """Without scheme, leading ``www.`` and default port; the host in lower case.

    Path and query stay as they are: case and encoding mean something there.
    """
    text = _SCHEME.sub("", text.strip(), count=1)
    stop = next((i for i, c in enumerate(text) if c in "/?#"), len(text))
    host, rest = text[:stop].lower(), text[stop:]
    host = host.removesuffix(":80").removesuffix(":443")
    if host.startswith("www.") and "." in host[4:]:
        host = host[4:]
    return host + rest


def hostname(name: str) -> str:
    """Lower case, A-labels, no scheme, port, wildcard, trailing dot or leading ``www.``.

    Normalising twice is normalising once, and takes time linear in the length.
    """
    name = name.strip().lower()
    if "/" in name:
        name = _SCHEME.sub("", name).split("/", 1)[0]
    name = _strip_ends(name)
    if not name.isascii() and len(name) <= _MAX_NAME:
        name = _strip_ends(_a_labels(name))
    return name


def _strip_ends(name: str) -> str:
    """Without port and dots at the end, wildcards and ``www.`` at the start, however many."""
    start, stop = 0, len(name)
    colon = name.find(":") if name.count(":") == 1 else -1  # more than one: an IPv6 address
    while stop:
        if name[stop - 1] == "." or name[stop - 1].isspace():
            stop -= 1
        elif colon >= 0 and _PORT.fullmatch(name, colon, stop):
            stop = colon
        else:
            break
    while start < stop:
        if name[start].isspace():
            start += 1
        elif name.startswith("*.", start, stop):
            start += 2
        elif name.startswith("www.", start, stop) and name.find(".", start + 4, stop) > 0:
            start += 4
        else:
            break
    return name[start:stop]


def _a_labels(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return name  # not a registrable name: keep the characters, they are what is odd about it


def cut(text: str | bytes, limit: int = MAX_BYTES) -> tuple[str | bytes, bool]:
    """Cut to at most ``limit`` bytes, keeping both ends: payloads often come last.

    Cutting comes before tokenising, so that time stays bounded whatever the input.

    Returns:
        (text, whether it was cut). A cut text comes back as ``bytes``: a character may be split.
    """
    if isinstance(text, str) and len(text) * 4 <= limit:
        return text, False
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return text, False
    head = (limit - len(_ELLIPSIS)) // 2
    tail = limit - len(_ELLIPSIS) - head
    return data[:head] + _ELLIPSIS + data[-tail:], True
