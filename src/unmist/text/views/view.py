"""What a view is, and the spellings that several kinds of text share."""

import random
import re
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Make = Callable[[str, random.Random], str | None]
"""A text and chance to another spelling; None where the text has no place for it."""

# Letters of other scripts that look like ASCII ones in common fonts and may stand in a domain name.
# Source: Unicode Technical Standard 39, confusables.txt.
GLYPHS: Final = dict(
    zip(
        "acdeghijlnopqsuvwxy",
        "\u0430\u0441\u0501\u0435\u0581\u04bb\u0456\u0458\u04cf\u0578\u043e\u0440\u051b\u0455"
        "\u057d\u0475\u051d\u0445\u0443",
        strict=True,
    )
)
UNRESERVED: Final = frozenset(string.ascii_letters + string.digits + "-._~")
_ESCAPED: Final = re.compile("%[0-9A-Fa-f]{2}")
_WORDS: Final = re.findall(
    "[a-z]+",
    """about after again all also back between both come could day each end find first form good
    great hand help here home house just keep large last life line little long look make name next
    number open other over page part place point right same show small sound state still take thing
    through time turn under use want water where while word work world year""",
)


@dataclass(frozen=True)
class View:
    """One way to spell a text differently.

    Attributes:
        name: e.g. ``trailing_dot``.
        evasion: whether it tries to change the answer; otherwise it keeps the meaning.
        make: the change itself.
        learnt: whether specialists may learn from it. The others are kept for measuring: somebody
            who wants to get past a reader does not keep to what it has learnt.
    """

    name: str
    evasion: bool
    make: Make
    learnt: bool = True


def vary(view: View, text: str, seed: int = 0) -> str | None:
    """The text as ``view`` spells it, or None where that is the text itself or does not apply.

    The same view, text and seed give the same spelling on every machine.
    """
    key = f"{seed}\0{view.name}\0{text}".encode("utf-8", "surrogatepass")
    other = view.make(text, random.Random(key))
    return None if other == text else other


def random_case(text: str, chance: random.Random) -> str:
    """Every ASCII letter in upper or lower case, at least one in another than before."""
    letters = [i for i, c in enumerate(text) if c in string.ascii_letters]
    if not letters:
        return text
    flipped = {i for i in letters if chance.random() < 0.5} | {chance.choice(letters)}
    return "".join(c.swapcase() if i in flipped else c for i, c in enumerate(text))


def swap_two(word: str, chance: random.Random) -> str | None:
    """Two neighbours that are letters or digits and differ change places."""
    places = [
        i for i in range(len(word) - 1) if word[i] != word[i + 1] and word[i : i + 2].isalnum()
    ]
    if not places:
        return None
    i = chance.choice(places)
    return word[:i] + word[i + 1] + word[i] + word[i + 2 :]


def double_one(word: str, chance: random.Random) -> str | None:
    """One letter or digit stands there twice."""
    return _at_one(word, chance, lambda sign: sign * 2)


def drop_one(word: str, chance: random.Random) -> str | None:
    """One letter or digit is left out, neither the first nor the last."""
    inner = _at_one(word[1:-1], chance, lambda _sign: "")
    return None if inner is None else word[0] + inner + word[-1]


def _at_one(word: str, chance: random.Random, change: Callable[[str], str]) -> str | None:
    places = [i for i, c in enumerate(word) if c.isalnum()]
    if not places:
        return None
    i = chance.choice(places)
    return word[:i] + change(word[i]) + word[i + 1 :]


def look_alike(word: str, chance: random.Random, most: int = 1) -> str | None:
    """Up to ``most`` letters as letters of another script that look the same."""
    places = [i for i, c in enumerate(word) if c in GLYPHS]
    if not places:
        return None
    chosen = set(chance.sample(places, min(most, len(places))))
    return "".join(GLYPHS[c] if i in chosen else c for i, c in enumerate(word))


def percent_encoded(text: str, chance: random.Random, share: float = 0.2) -> str | None:
    """A share of the unreserved characters, at least one, as ``%XX``, which means the same.

    Source: RFC 3986, section 6.2.2.2.
    """
    taken = {i for match in _ESCAPED.finditer(text) for i in range(*match.span())}
    places = [i for i, c in enumerate(text) if c in UNRESERVED and i not in taken]
    if not places:
        return None
    chosen = set(chance.sample(places, max(round(share * len(places)), 1)))
    return "".join(f"%{ord(c):02X}" if i in chosen else c for i, c in enumerate(text))


def filler(chance: random.Random, letters: int, between: str = " ") -> str:
    """Common English words, together at least ``letters`` characters."""
    words: list[str] = []
    while sum(map(len, words)) + len(between) * (len(words) - 1) < letters:
        words.append(chance.choice(_WORDS))
    return between.join(words)


def in_a_word(
    text: str, chance: random.Random, change: Callable[[str, random.Random], str | None]
) -> str | None:
    """``change`` one word of four letters or more, where there is one that it can change."""
    words: Sequence[re.Match[str]] = list(re.finditer("[A-Za-z]{4,}", text))
    for match in chance.sample(words, len(words)):
        other = change(match[0], chance)
        if other is not None:
            return text[: match.start()] + other + text[match.end() :]
    return None
