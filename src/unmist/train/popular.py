"""Names that many people visit, from the popularity lists among the pretraining files."""

import random
from collections import Counter
from collections.abc import Sequence, Set
from pathlib import Path
from typing import Final

from unmist.text import normalize
from unmist.train import corpus
from unmist.train.holdout import kin

SOURCES: Final = ("tranco", "crux", "https_everywhere", "bounty_targets")


def names(
    data: Path, held: Set[str | bytes], apart: Set[str], count: int, chance: random.Random
) -> list[tuple[str, str]]:
    """(name, registrable domain) of at most ``count`` names, half of them with sub-domains.

    Args:
        data: the data folder.
        held: names that are left out, e.g. those that :func:`unmist.train.corpus.withheld` names.
        apart: registrable domains that are left out.
        count: how many.
        chance: which are drawn.
    """
    bare: list[tuple[str, str]] = []
    below: list[tuple[str, str]] = []
    for path in corpus.sources(data, "hostname"):
        if path.name.removesuffix(".txt.zst") not in SOURCES:
            continue
        found = list(corpus.lines(path))
        for name, domain in with_domain(chance.sample(found, min(count, len(found)))):
            if name not in held and domain not in apart:
                (bare if name == domain else below).append((name, domain))
    half = count // 2
    return [
        *chance.sample(bare, min(half, len(bare))),
        *chance.sample(below, min(half, len(below))),
    ]


def with_domain(texts: Sequence[str]) -> list[tuple[str, str]]:
    """(name without ``www.``, registrable domain) of each text."""
    found = [str(normalize(text, "hostname")).removeprefix("www.") for text in texts]
    return list(zip(found, kin(found, "hostname"), strict=True))


def few_of_each(rows: Sequence[tuple[str, str]], most: int) -> list[tuple[str, str]]:
    """The first rows of each registrable domain."""
    seen, kept = Counter[str](), []
    for name, domain in rows:
        seen[domain] += 1
        if seen[domain] <= most:
            kept.append((name, domain))
    return kept
