"""Phishing names that others report, beside those of the task, and popular names to set them off.

The task's phishing is what one country's CERT confirmed. A specialist that knows no other finds one
in ten of the names that drain wallets or ask for a parcel's fee in French. Two lists hold such
names; those on registrable domains that the tasks' rule holds out are kept to measure with.
"""

import random
from collections.abc import Set
from pathlib import Path
from typing import Final

from unmist.train import corpus, popular
from unmist.train.corpus import Example
from unmist.train.written import held_out

TASK: Final = "host-phishing"
LABELS: Final = ("benign", "phishing")
LISTS: Final = {"scamsniffer": 8_000, "romainmarcoux": 4_000}
POPULAR: Final = 60_000
_OF_A_DOMAIN: Final = 3


def rows(data: Path, seed: int) -> list[Example]:
    """Names to learn from: phishing of :data:`LISTS`, and as benign ones popular names.

    None is a held-out row of a hostname task, and none is on a registrable domain that the task
    has, or that the tasks' rule holds out.
    """
    chance = random.Random(f"reported {seed}")
    benign, phishing = LABELS
    taken, held = _taken(data), corpus.withheld(data, "hostname")
    made = []
    for name, count in LISTS.items():
        found = [row for row in _of(data, name, taken, held) if not held_out(row[1])]
        drawn = chance.sample(found, min(count, len(found)))
        made += [Example(text, phishing, domain, name) for text, domain in drawn]
    for text, domain in popular.names(data, held, taken, POPULAR, chance):
        if not held_out(domain):
            made.append(Example(text, benign, domain, "popular"))
    return made


def kept(data: Path, count: int, seed: int = 1) -> dict[str, list[tuple[str, str]]]:
    """(name, registrable domain) of at most ``count`` names of each of :data:`LISTS` that nothing
    is learnt from: those on registrable domains that the tasks' rule holds out."""
    taken, held = _taken(data), corpus.withheld(data, "hostname")
    chosen = {}
    for name in LISTS:
        found = [row for row in _of(data, name, taken, held) if held_out(row[1])]
        chosen[name] = random.Random(f"kept {seed}").sample(found, min(count, len(found)))
    return chosen


def _taken(data: Path) -> set[str]:
    """Registrable domains that the task has."""
    train = {row.group for row in corpus.split(data, TASK, "train")}
    return train | corpus.held_out_groups(data, TASK)


def _of(data: Path, name: str, taken: Set[str], held: Set[str | bytes]) -> list[tuple[str, str]]:
    """(name, registrable domain) of one list, a few of each domain, without domains ``taken`` and
    names ``held``."""
    path = data / "pretrain" / "hostname" / f"{name}.txt.zst"
    few = popular.few_of_each(popular.with_domain(list(corpus.lines(path))), _OF_A_DOMAIN)
    return [(text, domain) for text, domain in few if domain not in taken and text not in held]
