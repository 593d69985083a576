"""Views of host names.

The label that is changed is the longest one before the last: the registered one, in most names.
"""

import random
import re
from collections.abc import Callable
from typing import Final

import idna

from unmist.text.views.view import (
    View,
    double_one,
    drop_one,
    filler,
    look_alike,
    random_case,
    swap_two,
)

_NAME: Final = re.compile(r"(?:[^\s./:@*\\?#%]+\.)+[^\s./:@*\\?#%]+")
_MOST_LABEL: Final = 63
_MOST_NAME: Final = 253
_KNOWN: Final = (
    "accounts.google.com",
    "login.microsoftonline.com",
    "www.paypal.com",
    "www.wikipedia.org",
    "update.microsoft.com",
    "mail.yahoo.com",
)
# Under these a content network or a translator serves other people's sites by their whole name.
_CARRIERS: Final = (
    "cdn.cloudflare.net",
    "edgekey.net",
    "edgesuite.net",
    "fastly.net",
    "translate.goog",
)


def random_case_of(text: str, chance: random.Random) -> str | None:
    """Upper and lower case at random."""
    return random_case(text, chance) if _NAME.fullmatch(text) else None


def trailing_dot(text: str, _chance: random.Random) -> str | None:
    """The name as it is written in full."""
    return f"{text}." if _NAME.fullmatch(text) else None


def www(text: str, _chance: random.Random) -> str | None:
    """The name under which the same site answers, too."""
    named = _NAME.fullmatch(text) and not text.lower().startswith("www.")
    return f"www.{text}" if named else None


def swap(text: str, chance: random.Random) -> str | None:
    """Two neighbours change places, as in a typing error."""
    return _in_main_label(text, lambda label: swap_two(label, chance))


def homoglyph(text: str, chance: random.Random) -> str | None:
    """One letter of another script."""
    return _in_main_label(text, lambda label: look_alike(label, chance))


def homoglyph_punycode(text: str, chance: random.Random) -> str | None:
    """The same, as it stands in a DNS log."""
    other = homoglyph(text, chance)
    try:
        return None if other is None else idna.encode(other, uts46=True).decode()
    except (idna.IDNAError, UnicodeError):
        return None


def prepend_benign(text: str, chance: random.Random) -> str | None:
    """A well-known name in front."""
    return _if_short(text, f"{chance.choice(_KNOWN)}.{text}")


def append_benign(text: str, chance: random.Random) -> str | None:
    """The name as a content network writes it, under its own."""
    return _if_short(text, f"{text}.{chance.choice(_CARRIERS)}")


def pad_start(text: str, chance: random.Random) -> str | None:
    """Three long labels of common words in front."""
    labels = [filler(chance, 20, "-") for _ in range(3)]
    return _if_short(text, ".".join([*labels, text]))


def pad_end(text: str, chance: random.Random) -> str | None:
    """Digits at the end of the registered label."""
    digits = "".join(chance.choices("0123456789", k=12))
    return _in_main_label(text, lambda label: f"{label}-{digits}")


def double(text: str, chance: random.Random) -> str | None:
    """One letter or digit twice, as in a typing error."""
    return _in_main_label(text, lambda label: double_one(label, chance))


def drop(text: str, chance: random.Random) -> str | None:
    """One letter or digit left out, neither the first nor the last."""
    return _in_main_label(text, lambda label: drop_one(label, chance))


def hyphen(text: str, chance: random.Random) -> str | None:
    """A hyphen inside a word."""

    def parted(label: str) -> str | None:
        places = [i for i in range(1, len(label)) if label[i - 1 : i + 1].isalnum()]
        if not places:
            return None
        i = chance.choice(places)
        return f"{label[:i]}-{label[i:]}"

    return _in_main_label(text, parted)


def _in_main_label(text: str, change: Callable[[str], str | None]) -> str | None:
    if not _NAME.fullmatch(text):
        return None
    labels = text.split(".")
    place = max(range(len(labels) - 1), key=lambda i: len(labels[i]))
    if labels[place].lower().startswith("xn--"):
        return None
    other = change(labels[place])
    if other is None or len(other) > _MOST_LABEL:
        return None
    return _if_short(text, ".".join([*labels[:place], other, *labels[place + 1 :]]))


def _if_short(text: str, other: str) -> str | None:
    return other if _NAME.fullmatch(text) and len(other) <= _MOST_NAME else None


VIEWS: Final = (
    View("random_case", False, random_case_of),
    View("trailing_dot", False, trailing_dot),
    View("www", False, www),
    View("swap", True, swap),
    View("homoglyph", True, homoglyph),
    View("homoglyph_punycode", True, homoglyph_punycode),
    View("prepend_benign", True, prepend_benign),
    View("append_benign", True, append_benign),
    View("pad_start", True, pad_start),
    View("pad_end", True, pad_end),
    View("double", True, double, learnt=False),
    View("drop", True, drop, learnt=False),
    View("hyphen", True, hyphen, learnt=False),
)
