"""Views of text whose grammar is not known: headers, logs, cloud actions, certificates, prose."""

import random
import re
from typing import Final

from unmist.text.views.view import (
    View,
    double_one,
    drop_one,
    filler,
    in_a_word,
    look_alike,
    random_case,
    swap_two,
)

_HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*(?=:[ \t])")
_ACTION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9]+")
_PAD: Final = 120  # characters


def swap(text: str, chance: random.Random) -> str | None:
    """Two letters inside a word change places."""
    return in_a_word(text, chance, swap_two)


def homoglyph(text: str, chance: random.Random) -> str | None:
    """Up to three letters of a word from another script."""
    return in_a_word(text, chance, lambda word, chance: look_alike(word, chance, 3))


def double(text: str, chance: random.Random) -> str | None:
    """One letter of a word twice."""
    return in_a_word(text, chance, double_one)


def drop(text: str, chance: random.Random) -> str | None:
    """One letter inside a word left out."""
    return in_a_word(text, chance, drop_one)


def pad_start(text: str, chance: random.Random) -> str | None:
    """Common words in front."""
    return f"{filler(chance, _PAD)} {text}" if text else None


def pad_end(text: str, chance: random.Random) -> str | None:
    """Common words behind."""
    return f"{text} {filler(chance, _PAD)}" if text else None


def header_name_case(text: str, chance: random.Random) -> str | None:
    """The field name, whose case means nothing (RFC 9110, section 5.1)."""
    match = _HEADER_NAME.match(text)
    return random_case(match[0], chance) + text[match.end() :] if match else None


def action_case(text: str, chance: random.Random) -> str | None:
    """An IAM action ``service:Action``, which AWS compares without regard to case."""
    return random_case(text, chance) if _ACTION.fullmatch(text) else None


NAME_CASE: Final = View("random_case", False, header_name_case)
ACTION_CASE: Final = View("random_case", False, action_case)
EVASIONS: Final = (
    View("swap", True, swap),
    View("homoglyph", True, homoglyph),
    View("pad_start", True, pad_start),
    View("pad_end", True, pad_end),
    View("double", True, double, learnt=False),
    View("drop", True, drop, learnt=False),
)
