"""Hosts of one owner: those of the data folder's lists, and those written by hand.

Spelling tells that ``mail.example.com`` and ``example.com`` belong together; that ``ytimg.com`` is
YouTube's has to be known. ``written/owners.txt`` beside this module has an owner a line, ``name:
host host …``, from general knowledge.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from unmist.text import normalize
from unmist.train import corpus
from unmist.train.holdout import kin

Owner = list[list[str]]
"""Hosts of one owner, grouped by registrable domain."""
_BY_HAND: Final = Path(__file__).parent / "written" / "owners.txt"


def listed(data: Path) -> list[Owner]:
    """Training owners of the data folder that have two hosts or more."""
    owned: dict[tuple[str, str], set[str]] = defaultdict(set)
    for name, owner, host in _rows(data, "train"):
        owned[name, owner].add(host)
    return [_grouped(sorted(hosts)) for _, hosts in sorted(owned.items()) if len(hosts) > 1]


def by_hand(data: Path, path: Path = _BY_HAND) -> list[Owner]:
    """Owners written by hand that have two registrable domains or more.

    One that shares a registrable domain with a held-out owner is left out whole, and so is a host
    that is a held-out row of a hostname task.
    """
    kept = {host for _, _, host in _rows(data, "test")}
    apart = set(kin(sorted(kept), "hostname"))
    held = corpus.withheld(data, "hostname")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        hosts = [str(normalize(host, "hostname")) for host in line.partition(":")[2].split()]
        domains = _grouped(list(dict.fromkeys(host for host in hosts if host not in held)))
        names = set(kin(hosts, "hostname"))
        if len(domains) > 1 and not names & apart:
            found.append(domains)
    return found


def _rows(data: Path, split: str) -> Iterator[tuple[str, str, str]]:
    """(file name, owner, host) of one split of the owners' files."""
    for path in sorted((data / "pretrain" / "hostname" / "pairs").glob("*.tsv.zst")):
        rows = csv.DictReader(corpus.lines(path), delimiter="\t", quoting=csv.QUOTE_NONE)
        for row in rows:
            if row["split"] == split:
                yield path.name, row["owner"], row["host"]


def _grouped(hosts: Sequence[str]) -> Owner:
    domains: dict[str, list[str]] = defaultdict(list)
    for host, domain in zip(hosts, kin(hosts, "hostname"), strict=True):
        domains[domain].append(host)
    return list(domains.values())
