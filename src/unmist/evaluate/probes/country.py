"""The country of a hostname once its public suffix is cut off: what the words alone say.

Names come from the hostname tasks, where a registrable domain stands on one side only; the label
is the country-code top-level domain. Domains that are sold as words (.io, .tv) are left out.
"""

import random
from collections import defaultdict
from pathlib import Path
from typing import Final

from publicsuffixlist import PublicSuffixList

from unmist.errors import InputError
from unmist.evaluate.probes.rows import SPLITS, Limits, TaskRows, shuffled
from unmist.labelled.data import Example
from unmist.train import corpus
from unmist.train.holdout import kin

_CODES: Final = """
    ar au at be br ca ch cl cn cz de dk es fi fr gr hu id ie il in ir it jp kr mx nl no nz pl pt ro
    rs ru se sk th tr tw ua uk vn za
"""
COUNTRIES: Final = frozenset(_CODES.split())
_FEWEST: Final = 30  # names of a country in train, so that there is something to learn


def country_rows(data: Path, limits: Limits, seed: int = 1) -> TaskRows:
    """Names without suffix, labelled with their country, as another task.

    Raises:
        InputError: the data has no hostname task with names of two countries.
    """
    names: dict[str, str] = {}
    tasks = sorted(path.parent.name for path in (data / "tasks").glob("*/task.toml"))
    for task in tasks:
        if corpus.field_of(data, task) == "hostname":
            for split in SPLITS:
                for row in corpus.split(data, task, split):
                    if row.text.rpartition(".")[2] in COUNTRIES:
                        names.setdefault(row.text, split)
    domains = dict(zip(names, kin(list(names), "hostname"), strict=True))
    side = _one_side(names, domains)
    suffixes = PublicSuffixList(only_icann=True)
    masked: dict[str, Example] = {}
    clash: set[str] = set()
    for name, domain in domains.items():
        text = name.removesuffix("." + str(suffixes.publicsuffix(name)))
        example = Example(text, name.rpartition(".")[2], domain)
        if masked.setdefault(text, example).label != example.label:
            clash.add(text)  # "google" is of every country
    splits: dict[str, list[Example]] = {split: [] for split in SPLITS}
    for text, example in masked.items():
        if text not in clash:
            splits[side[example.group]].append(example)
    return TaskRows("country", "hostname", _balanced(splits, limits, seed, str(data)))


def _one_side(names: dict[str, str], domains: dict[str, str]) -> dict[str, str]:
    """Each domain's side; one that some task holds in test is a test domain."""
    side: dict[str, str] = {}
    for name, split in names.items():
        now = side.setdefault(domains[name], split)
        side[domains[name]] = max(now, split, key=("train", "dev", "test").index)
    return side


def _balanced(
    splits: dict[str, list[Example]], limits: Limits, seed: int, source: str
) -> dict[str, list[Example]]:
    """As many of each country as of the others where there are enough, within the limits."""
    counts: defaultdict[str, int] = defaultdict(int)
    for row in splits["train"]:
        counts[row.label] += 1
    kept = {label for label, count in counts.items() if count >= _FEWEST}
    if len(kept) < 2:
        raise InputError("no two countries with enough names in the hostname tasks", source)
    out = {}
    for split, rows in splits.items():
        limit = min(limits.of(split), limits.country)
        each = -(-limit // len(kept))
        taken: defaultdict[str, int] = defaultdict(int)
        chosen = []
        for row in shuffled(rows, seed):
            if row.label in kept and taken[row.label] < each:
                taken[row.label] += 1
                chosen.append(row)
        random.Random(seed).shuffle(chosen)
        out[split] = chosen[:limit]
    return out
