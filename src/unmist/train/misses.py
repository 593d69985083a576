"""Near misses: a text with one small change after which it no longer means the same."""

import random
import re
from collections.abc import Callable
from typing import Final

_SIGNS: Final = "abcdefghijklmnopqrstuvwxyz0123456789-'\";<|`$."
_ENDINGS: Final = "'\";<|`$&>("
_OPERATORS: Final = (" | ", " ; ", " || ", " && ", " > ", " >> ", " < ", " & ")
_OPERATOR: Final = re.compile("|".join(map(re.escape, sorted(_OPERATORS, key=len, reverse=True))))
_SPECIAL: Final = re.compile(r"[$&|;>`*]")
_WORD_END: Final = re.compile(r"(?<=\w)(?=\W|$)")
_FILE_NAME: Final = re.compile(r"/(?=[^/.][^/]*$)")
_SUFFIXES: Final = ("-", "~", "m", "x", ".bak", "1", "_")
_LOOK_ALIKE: Final = {
    "l": "1", "o": "0", "i": "l", "e": "3", "s": "5", "m": "n",
    "1": "l", "0": "o", "a": "e", "n": "m",
}  # fmt: skip

Change = Callable[[str, random.Random], str | None]


def near_miss(text: str, field: str, chance: random.Random) -> str:
    """One of the changes that count in texts of a field, drawn at random."""
    ways = [changed, _look_alike, *_OF_FIELD.get(field, (_sign,))]
    chance.shuffle(ways)
    found = (way(text, chance) for way in ways)
    return next((miss for miss in found if miss is not None and miss != text), text + "-")


def changed(text: str, chance: random.Random) -> str:
    """One character replaced, left out, doubled or put in."""
    if not text:
        return chance.choice(_SIGNS)
    place = chance.randrange(len(text))
    before, own, after = text[:place], text[place], text[place + 1 :]
    sign = chance.choice([sign for sign in _SIGNS if sign != own.lower()])
    return before + chance.choice([sign, "", own * 2, own + sign]) + after


def _look_alike(text: str, chance: random.Random) -> str | None:
    """A letter inside a word becomes one that looks like it."""
    inside = range(1, len(text) - 1)
    places = [i for i in inside if text[i] in _LOOK_ALIKE and text[i - 1].isalpha()]
    if not places:
        return None
    place = chance.choice(places)
    return text[:place] + _LOOK_ALIKE[text[place]] + text[place + 1 :]


def _sign(text: str, chance: random.Random) -> str | None:
    """A sign that ends a value or a word, put where one ends."""
    return _put(text, _WORD_END, chance.choice(_ENDINGS), chance)


def _operator(text: str, chance: random.Random) -> str | None:
    """One operator between commands for another."""
    found = list(_OPERATOR.finditer(text))
    if not found:
        return None
    match = chance.choice(found)
    other = chance.choice([operator for operator in _OPERATORS if operator != match[0]])
    return text[: match.start()] + other + text[match.end() :]


def _escaped(text: str, chance: random.Random) -> str | None:
    """A backslash before a sign that the shell would have read."""
    return _put(text, _SPECIAL, "\\", chance)


def _hidden(text: str, _chance: random.Random) -> str | None:
    match = _FILE_NAME.search(text)
    return None if match is None else text[: match.end()] + "." + text[match.end() :]


def _suffix(text: str, chance: random.Random) -> str | None:
    return text + chance.choice(_SUFFIXES)


def _put(text: str, places: re.Pattern[str], sign: str, chance: random.Random) -> str | None:
    found = list(places.finditer(text))
    if not found:
        return None
    place = chance.choice(found).start()
    return text[:place] + sign + text[place:]


_OF_FIELD: Final[dict[str, tuple[Change, ...]]] = {
    "hostname": (),
    "command": (_sign, _operator, _operator, _escaped),  # as often as all signs together
    "path": (_sign, _hidden, _suffix),
}
