"""Rows made for a task beside those that it has, where its training split lacks a whole kind."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from unmist.errors import UsageError
from unmist.train import bare, hosted, made_up, reported, wire
from unmist.train.corpus import Example

ABOUT: Final = {
    "host-category": "half of the rows once more without their public suffix",
    "host-dga": "beside them names made of affixes and of letters, and real names of "
    "Tranco, CrUX, HTTPS Everywhere and bounty-targets-data",
    "host-phishing": "beside them names of scamsniffer/scam-database and "
    "romainmarcoux/malicious-domains, and popular names of Tranco, CrUX, HTTPS Everywhere and "
    "bounty-targets-data",
    "url-threat": "beside them hosts of the training rows of host-phishing under paths of these",
    "web-attack": "each row once more as it stands in a request",
}
_MADE: Final[dict[str, Callable[[Path, Sequence[Example], int], list[Example]]]] = {
    "host-category": lambda _data, examples, seed: bare.rows(examples, seed),
    "host-dga": lambda data, _examples, seed: made_up.rows(data, seed),
    "host-phishing": lambda data, _examples, seed: reported.rows(data, seed),
    "url-threat": hosted.rows,
    "web-attack": lambda _data, examples, seed: wire.rows(examples, seed),
}


def rows(data: Path, task: str, examples: Sequence[Example], seed: int) -> list[Example]:
    """Rows of the kinds that the task's training split lacks.

    Raises:
        UsageError: nothing is made for this task.
    """
    if task not in _MADE:
        raise UsageError(f"{task}: no rows are made for it; leave out --more")
    return _MADE[task](data, examples, seed)
