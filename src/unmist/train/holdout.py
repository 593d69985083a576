"""An honest split of a user's rows: kin stay together, every label can be learnt."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from publicsuffixlist import PublicSuffixList

from unmist.text import normalize

TEST_SHARE: Final = 0.2
DEV_SHARE: Final = 0.2
_SEED: Final = "unmist-split:"


def kin(texts: Sequence[str], field: str) -> list[str]:
    """What must stay together when no group column says it.

    The registrable domain (eTLD+1, ICANN section of the public suffix list) of hostnames and URLs;
    of any other text, the text without its digits, so that copies that differ in a number or a
    date do not stand on both sides.
    """
    if field == "hostname":
        return [_registrable(str(normalize(text, field))) for text in texts]
    if field == "url":
        return [_registrable(_host(text)) for text in texts]
    return ["".join(c for c in text.casefold() if not c.isdigit()) for text in texts]


def split(groups: Sequence[str], labels: Sequence[str]) -> list[str]:
    """``train``, ``dev`` or ``test`` for every row, decided by its group alone where possible.

    A label whose groups all fell into dev and test gets its first group back into train; one that
    has a second group and no row in dev gives it to dev, since thresholds are chosen there. The
    same rows give the same split, in whatever order they come.
    """
    sides = {group: side(group) for group in set(groups)}
    members: defaultdict[str, set[str]] = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        members[label].add(group)
    order = {label: sorted(found, key=_rank) for label, found in members.items()}
    for label in sorted(order):  # dev first: what train needs afterwards has the last word
        if len(order[label]) > 1 and not any(sides[g] == "dev" for g in order[label]):
            sides[order[label][-1]] = "dev"
    for label in sorted(order):
        if not any(sides[g] == "train" for g in order[label]):
            sides[order[label][0]] = "train"
    return [sides[group] for group in groups]


def without_suffix(name: str) -> str:
    """A hostname without its public suffix (ICANN section)."""
    return name.removesuffix(f".{_suffixes().publicsuffix(name)}")


def side(group: str) -> str:
    """``train``, ``dev`` or ``test``, by a group's name alone."""
    share = _rank(group)
    if share < TEST_SHARE:
        return "test"
    return "dev" if share < TEST_SHARE + DEV_SHARE else "train"


def _rank(group: str) -> float:
    digest = hashlib.sha256((_SEED + group).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _host(url: str) -> str:
    try:
        return str(
            normalize(urlsplit(url if "//" in url else f"//{url}").hostname or url, "hostname")
        )
    except ValueError:  # brackets that are no IPv6 address, and the like
        return url


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=True)


def _registrable(name: str) -> str:
    try:
        return str(ip_address(name))
    except ValueError:
        return str(_suffixes().privatesuffix(name) or name)
