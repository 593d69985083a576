"""Names as generators make them, for the kinds that lists of generated names hold few of.

A detector that has seen twenty families knows twenty families. What is left is known by kind: a
stem with affixes, many plain letters. Names of these kinds, made here without regard to any family,
are learnt from beside the real ones; and beside them real names of the popularity lists, with their
sub-domains. (Words put together, pieces of words and syllables that can be spoken were tried as
well: they are too much like real names.)

Source of the kinds: Plohmann et al., "A Comprehensive Measurement Study of Domain Generating
Malware", USENIX Security 2016, table 1.
"""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from unmist.train import corpus, popular
from unmist.train.corpus import Example, withheld

GENERATED: Final = 15_000
REAL: Final = 45_000
_TOPS: Final = ("com", "net", "org", "info", "biz", "ru", "in", "me", "eu", "cc", "top", "xyz")
_VOWELS: Final = "aeiouy"
_CONSONANTS: Final = "bcdfghjklmnpqrstvwxz"
_BEFORE: Final = (
    "anti", "co", "de", "dis", "ex", "in", "inter", "mis", "mono", "multi", "non", "over",
    "post", "pre", "re", "semi", "sub", "un",
)  # fmt: skip
_AFTER: Final = (
    "able", "ably", "al", "ate", "ation", "ed", "en", "er", "est", "ing", "ion", "ism", "ist",
    "ity", "ive", "ize", "ly", "ment", "ness",
)  # fmt: skip
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"

Kind = Callable[[random.Random], str]


def _syllables(chance: random.Random) -> str:
    count, closed = chance.randint(2, 5), chance.random() < 0.5
    spoken = [chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(count)]
    return "".join(spoken) + (chance.choice(_CONSONANTS) if closed else "")


def _affixes(chance: random.Random) -> str:
    stem = _syllables(chance)
    before, after = chance.choice(_BEFORE), chance.choice(_AFTER)
    return chance.choice((before + stem, stem + after, before + stem + after))


def _plain(chance: random.Random) -> str:
    signs = chance.choice((_LETTERS, _LETTERS, _LETTERS + "0123456789", "0123456789abcdef"))
    return "".join(chance.choices(signs, k=chance.randint(12, 32)))


KINDS: Final[tuple[tuple[Kind, int], ...]] = (
    (_affixes, 1),
    (_plain, 1),
)


def rows(data: Path, seed: int, generated: int = GENERATED, real: int = REAL) -> list[Example]:
    """Rows labelled ``dga`` and ``benign``, none of which is a held-out row of a hostname task.

    Real names are of registrable domains that no held-out file of the task has.
    """
    chance = random.Random(f"made up {seed}")
    held, of_task = withheld(data, "hostname"), corpus.held_out_groups(data, "host-dga")
    kinds, weights = zip(*KINDS, strict=True)
    names = set()
    for kind in chance.choices(kinds, weights, k=generated):
        names.add(f"{kind(chance)}.{chance.choice(_TOPS)}")
    found = [Example(name, "dga", name, "made up") for name in sorted(names - held)]
    for name, domain in popular.names(data, held, of_task, real, chance):
        found.append(Example(name, "benign", domain, "popular"))
    chance.shuffle(found)
    return found
