"""URLs on hosts that the URL task never saw: phishing of other years, and popular sites.

Its phishing is of one source of 2014 to 2017. The hostname task has phishing names of later years,
and popular ones beside them; under a path of a row of the same label they are URLs of those years.
No made row is of a registrable domain that a held-out row of the URL task has.
"""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from unmist.train import corpus
from unmist.train.corpus import Example
from unmist.train.holdout import kin

OF_EACH: Final = 15_000


def rows(
    data: Path,
    examples: Sequence[Example],
    seed: int,
    hosts: str = "host-phishing",
    task: str = "url-threat",
    of_each: int = OF_EACH,
) -> list[Example]:
    """Rows of the labels that both tasks have: a host of the one under a path of the other.

    Args:
        data: the data folder.
        examples: training rows of ``task``; a path is taken from a row of the same label.
        seed: which rows are drawn.
        hosts: the task whose training rows have the hosts.
        task: the task that rows are made for.
        of_each: rows of each label at most.
    """
    chance = random.Random(f"hosted {seed}")
    held = corpus.held_out_groups(data, task)
    names = corpus.split(data, hosts, "train")
    domains = kin([row.text for row in names], "hostname")
    made = []
    for label in sorted({row.label for row in examples} & {row.label for row in names}):
        paths = [row.text[row.text.find("/") :] for row in examples if row.label == label]
        paths = [path for path in paths if path.startswith("/")]
        free = [
            (row.text, domain)
            for row, domain in zip(names, domains, strict=True)
            if row.label == label and domain not in held
        ]
        if not paths:
            continue
        for host, domain in chance.sample(free, min(of_each, len(free))):
            made.append(Example(host + chance.choice(paths), label, domain, f"{hosts} and path"))
    return made
