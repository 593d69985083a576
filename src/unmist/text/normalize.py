"""One spelling for what means the same, before a row is tokenised.

Only changes that keep the meaning are made here; whatever cannot be normalised passes unchanged,
because an odd spelling is itself a signal.
"""

import re
from typing import Final

import idna

MAX_BYTES: Final = 8192  # bytes of one text field; a longer one is cut, keeping both ends
_ELLIPSIS: Final = "\u2026".encode()
_PORT: Final = re.compile(r":\d{1,5}$")
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
    return hostname(text) if field == "hostname" else text


def hostname(name: str) -> str:
    """Lower case, A-labels, no scheme, port, wildcard, trailing dot or leading ``www.``."""
    name = name.strip().lower()
    if "/" in name:
        name = _SCHEME.sub("", name).split("/", 1)[0]
    name = _PORT.sub("", name).removeprefix("*.").rstrip(".")
    if not name.isascii():
        name = _a_labels(name)
    stripped = name.removeprefix("www.")
    return stripped if "." in stripped else name


def _a_labels(name: str) -> str:
    try:
        return idna.encode(name, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return name  # not a registrable name: keep the characters, they are what is odd about it


def cut(text: str | bytes, limit: int = MAX_BYTES) -> tuple[str | bytes, bool]:
    """Cut to at most ``limit`` bytes, keeping both ends: payloads often come last.

    Cutting comes before tokenising, so that time stays bounded whatever the input.

    Returns:
        (text, whether it was cut). A cut text comes back as ``bytes`` when a character was split.
    """
    if isinstance(text, str) and len(text) * 4 <= limit:
        return text, False
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    if len(data) <= limit:
        return text, False
    head = (limit - len(_ELLIPSIS)) // 2
    tail = limit - len(_ELLIPSIS) - head
    return data[:head] + _ELLIPSIS + data[-tail:], True
