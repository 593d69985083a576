"""Names that many people visit, from the popularity lists among the pretraining files."""

import random
from collections.abc import Set
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
        found = [str(normalize(name, "hostname")) for name in corpus.lines(path)]
        found = [name.removeprefix("www.") for name in chance.sample(found, min(count, len(found)))]
        for name, domain in zip(found, kin(found, "hostname"), strict=True):
            if name not in held and domain not in apart:
                (bare if name == domain else below).append((name, domain))
    half = count // 2
    return [
        *chance.sample(bare, min(half, len(bare))),
        *chance.sample(below, min(half, len(below))),
    ]
