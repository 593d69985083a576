"""Rows written by hand for a task: what its training split is too small to say.

A list of 1,200 banners does not hold most makers of printers; whoever has worked with them knows
them. ``<task>.toml`` beside this module holds templates by label. A template's slots, ``⟨name⟩``,
are filled from the file's own lists or from :data:`BUILT_IN`, several times each. They were written
from general knowledge, with the training split at hand and no other; what equals a held-out row all
the same is left out (:func:`apart`).

Source of learning from templates: Ratner et al., "Snorkel: Rapid Training Data Creation with Weak
Supervision", arXiv 1711.10160.
"""

import hashlib
import random
import re
import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unmist.errors import UsageError
from unmist.train import corpus
from unmist.train.contamination import masked
from unmist.train.corpus import Example
from unmist.train.holdout import kin

ABOUT: Final = "beside them rows written by hand, of templates that are part of the source code"
SOURCE: Final = "written"
_SLOT: Final = re.compile("⟨([a-z0-9_-]+)⟩")
_DEEPEST: Final = 8  # slots within slots
_HELD_OUT: Final = 0.20  # of the registrable domains, by the tasks' rule
_WORDS: Final = (
    "alpha", "atlas", "blue", "cloud", "data", "delta", "east", "garden", "green", "harbor",
    "iron", "lake", "lion", "main", "media", "moon", "north", "office", "orange", "park", "pearl",
    "port", "prime", "report", "river", "sales", "shop", "silver", "smart", "star", "stone",
    "team", "tiger", "tower", "vista", "water", "west", "winter",
)  # fmt: skip
_USERS: Final = (
    "admin", "administrator", "alice", "anna", "backup", "bob", "c.miller", "david", "guest",
    "jdoe", "jsmith", "m.lopez", "maria", "operator", "peter", "root", "svc_backup", "test",
)  # fmt: skip
_SIGNS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"
BUILT_IN: Final[Mapping[str, Callable[[random.Random], str]]] = {
    "d": lambda chance: str(chance.randrange(10)),
    "n": lambda chance: str(chance.randrange(1, 10 ** chance.randint(1, 5))),
    "hex": lambda chance: f"{chance.getrandbits(32):08x}",
    "ip": lambda chance: ".".join(str(chance.randrange(1, 255)) for _ in range(4)),
    "word": lambda chance: chance.choice(_WORDS),
    "host": lambda chance: f"{chance.choice(_WORDS)}{chance.randrange(100)}.example.com",
    "user": lambda chance: chance.choice(_USERS),
    "s": lambda chance: "".join(chance.choices(_SIGNS, k=chance.randint(5, 12))),
}


def tasks() -> list[str]:
    """Tasks for which rows are written, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.toml"))


def rows(task: str, seed: int, each: int) -> list[Example]:
    """Every template filled ``each`` times, without repetitions; rows of one template are a group.

    Raises:
        UsageError: nothing is written for this task.
    """
    path = Path(__file__).with_name(f"{task}.toml")
    if not path.is_file():
        raise UsageError(
            f"{task}: no rows are written for it in {path.parent}; leave out --written, or work in "
            "a checkout, since packages leave them out"
        )
    return expanded(tomllib.loads(path.read_text(encoding="utf-8")), seed, each)


def learnable(
    data: Path, task: str, seed: int, each: int, labels: Collection[str]
) -> list[Example]:
    """The :func:`rows` of a task that bear one of these labels, without those that are measured
    with, see :func:`apart`. Raises UsageError as :func:`rows` does."""
    return apart((row for row in rows(task, seed, each) if row.label in labels), data, task)


def expanded(said: Mapping[str, Any], seed: int, each: int) -> list[Example]:
    """The rows of one file's content, see :func:`rows`.

    Raises:
        UsageError: a template names a slot that there is not, or slots go round in a circle.
    """
    chance, found = random.Random(f"written {seed}"), dict[str, Example]()
    slots: Mapping[str, Sequence[str]] = said.get("slots", {})
    for number, block in enumerate(said["rows"]):
        for place, template in enumerate(block["texts"]):
            group = f"written {number}.{place}"
            for _ in range(each):
                text = _filled(template, slots, chance)
                found.setdefault(text, Example(text, block["label"], group, SOURCE))
    return list(found.values())


def apart(made: Iterable[Example], data: Path, task: str) -> list[Example]:
    """The rows without those that are measured with: of dev and test of any task of the field kind.

    Hostnames go by the registrable domain and the rule that all tasks split by, so whatever a task
    might hold is left out; paths by their last part, as file names were told apart; cloud actions
    by their name alone, of whatever service, unless a service of the training split has it, too;
    any other text by itself without case, digits and repeated white space.
    """
    field = corpus.field_of(data, task)
    if field == "hostname":
        return by_domain(made)[0]
    key = _KEYS.get(field, masked)
    held = {
        key(row.text)
        for path in corpus.held_out_files(data, field)
        for row in corpus.examples(path)
    }
    if field == "cloud":
        held -= {key(row.text) for row in corpus.split(data, task, "train")}
    return [row for row in made if key(row.text) not in held]


def by_domain(made: Iterable[Example]) -> tuple[list[Example], list[Example]]:
    """Host names that may be learnt, and those on registrable domains that are held out."""
    every = list(made)
    sides: tuple[list[Example], list[Example]] = ([], [])
    for row, domain in zip(every, kin([row.text for row in every], "hostname"), strict=True):
        sides[held_out(domain)].append(row)
    return sides


def corrected(examples: Iterable[Example], made: Iterable[Example]) -> list[Example]:
    """The rows without those whose text stands under another label among the rows ``made``: a list
    of government sites that holds a software house has it from a sub-contractor."""
    label = {row.text: row.label for row in made}
    return [row for row in examples if label.get(row.text, row.label) == row.label]


def held_out(domain: str) -> bool:
    """Whether the tasks' rule puts a registrable domain into dev or test."""
    digest = hashlib.md5(f"unmist-split:{domain}".encode(), usedforsecurity=False).hexdigest()
    return int(digest, 16) / 16**32 < _HELD_OUT


def _last(path: str) -> str:
    return masked(re.split(r"[/\\]", path.rstrip("/\\"))[-1])


def _action(text: str) -> str:
    return masked(text.rpartition(":")[2])


_KEYS: Final[Mapping[str, Callable[[str], str]]] = {"path": _last, "cloud": _action}


def _filled(template: str, slots: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    text = template
    for _ in range(_DEEPEST):
        if not _SLOT.search(text):
            return text
        text = _SLOT.sub(lambda match: _drawn(match[1], slots, chance), text)
    raise UsageError(f"{template!r}: slots go round in a circle")


def _drawn(name: str, slots: Mapping[str, Sequence[str]], chance: random.Random) -> str:
    if name in slots:
        return chance.choice(slots[name])
    if name in BUILT_IN:
        return BUILT_IN[name](chance)
    raise UsageError(f"⟨{name}⟩: no such slot; give it in [slots]")
