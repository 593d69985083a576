"""Pairs that a vector shall bring together, and near ones that it shall keep apart.

Three kinds: hosts of one owner, hosts of two domains that are spelt alike, and a text beside
another form of itself that means the same. Pairs of the first and the last kind have a near miss,
the first text with one character changed, that no owner and no form shares; beside names that are
only spelt alike it would be the nearer one.

Sources: van den Oord et al., "Representation Learning with Contrastive Predictive Coding" (the
loss), arXiv 1807.03748; Kusupati et al., "Matryoshka Representation Learning" (the same loss on the
first dimensions alone), arXiv 2205.13147.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from unmist.text import Tokenizer, both_ends, normalize
from unmist.text.views import vary, views
from unmist.train import corpus, owners
from unmist.train.corpus import withheld
from unmist.train.encoder import Encoder
from unmist.train.misses import near_miss
from unmist.train.neighbours import neighbours

FIELDS: Final = ("hostname", "url", "http", "command", "path", "header", "cloud")
# How often forms are of a field, one unless said: in commands quotes and operators look alike.
_OFTEN: Final = {"command": 3, "http": 2}
OWNERS_A_STEP: Final = 256
NEIGHBOURS_A_STEP: Final = 192
FORMS_A_STEP: Final = 96
TEMPERATURE: Final = 0.05
RANKING_TEMPERATURE: Final = 0.02  # near misses are near: .95 against .97
DIMENSIONS: Final = (64, 128)  # beside all of them
_TEXTS_OF_FIELD: Final = 20_000
_HOSTS_OF_DOMAIN: Final = 4
_LONGEST: Final = 200  # characters of a text whose forms are compared
_MOST_TOKENS: Final = 128
_STEP: Final = 8  # lengths to which rows are padded are multiples of this
# Numbers of which the last digit may be another one.
_LONG_NUMBER: Final = re.compile(r"(?<![0-9a-fA-F])[0-9]{5,}(?![0-9a-fA-F])")
_OR_VERSION: Final = re.compile(rf"{_LONG_NUMBER.pattern}|(?<=[0-9]\.)[0-9]{{1,3}}(?![0-9a-zA-Z])")
_MACHINE: Final = re.compile(r"(?<=[a-z-])[0-9]{1,3}(?=\.)")
_NUMBERS: Final = {"hostname": _MACHINE, "path": _OR_VERSION, "header": _OR_VERSION}


@dataclass(frozen=True)
class Triples:
    """Token ids of each pair's two texts and, but for neighbours, of the near miss of the first."""

    first: list[list[int]]
    second: list[list[int]]
    miss: list[list[int]]

    @property
    def texts(self) -> list[list[int]]:
        """All texts, in that order."""
        return [*self.first, *self.second, *self.miss]


class Pairs:
    """Draws triples: hosts of training owners, and texts of the pretraining files.

    Args:
        data: the data folder.
        tokenizer: encodes them.
        by_hand: whether owners written by hand are among them.
    """

    def __init__(self, data: Path, tokenizer: Tokenizer, *, by_hand: bool = False) -> None:
        self._tokenizer = tokenizer
        found = owners.listed(data) + (owners.by_hand(data) if by_hand else [])
        self._wide = [domains for domains in found if len(domains) > 1]
        self._narrow = [domains for domains in found if len(domains) == 1]
        self._texts = {field: _texts(data, field) for field in FIELDS}
        self._texts = {field: texts for field, texts in self._texts.items() if texts}
        self._near = neighbours(_hosts(self._wide, self._texts.get("hostname", [])))

    def neighbours(self, chance: random.Random) -> Triples:
        """Hosts beside one of another registrable domain that is spelt alike; no near misses."""
        chosen = chance.sample(self._near, min(NEIGHBOURS_A_STEP, len(self._near)))
        rows = [(host, chance.choice(near)) for host, near in chosen]
        return self._encoded(rows, "hostname")

    def owners(self, chance: random.Random) -> Triples:
        """Two hosts of each of some owners, half of them of owners of two registrable domains."""
        half = OWNERS_A_STEP // 2  # of two domains, else spelling alone would do
        chosen = chance.sample(self._wide, min(half, len(self._wide)))
        chosen += chance.sample(self._narrow, min(half, len(self._narrow)))
        rows: list[tuple[str, str, str]] = []
        for domains in chosen:
            one, other = chance.sample(domains, 2) if len(domains) > 1 else domains * 2
            first = chance.choice(one)
            second = chance.choice([host for host in other if host != first] or other)
            rows.append((first, second, near_miss(first, "hostname", chance)))
        return self._encoded(rows, "hostname")

    def forms(self, chance: random.Random) -> Triples:
        """A text of one field beside a form of it that means the same."""
        if not self._texts:
            return Triples([], [], [])
        (field,) = chance.choices(
            list(self._texts), [_OFTEN.get(field, 1) for field in self._texts]
        )
        rows: list[tuple[str, str, str]] = []
        for text in chance.sample(
            self._texts[field], min(4 * FORMS_A_STEP, len(self._texts[field]))
        ):
            other = same(text, field, chance)
            if other is not None and len(rows) < FORMS_A_STEP:
                rows.append((text, other, near_miss(text, field, chance)))
        return self._encoded(rows, field)

    def _encoded(self, rows: Sequence[tuple[str, ...]], field: str) -> Triples:
        sides: list[list[list[int]]] = []
        for texts in zip(*rows, strict=True):
            normalized = [normalize(text, field) for text in texts]
            ids = self._tokenizer.encode_batch(normalized, field)
            sides.append([both_ends(row, _MOST_TOKENS) for row in ids])
        return Triples(*sides, *[[]] * (3 - len(sides)))


def _hosts(wide: Sequence[Sequence[Sequence[str]]], texts: Sequence[str]) -> list[str]:
    """Hosts among which neighbours are found: of owners of several domains, and any."""
    owned = (host for domains in wide for hosts in domains for host in hosts[:_HOSTS_OF_DOMAIN])
    return sorted({str(normalize(host, "hostname")) for host in (*owned, *texts)})


def _texts(data: Path, field: str) -> list[str]:
    """Short texts of a field's pretraining files, at most so many of each."""
    held, found = withheld(data, field), []
    files = corpus.sources(data, field)
    for path in files:
        lines = [text for text in corpus.lines(path) if len(text) <= _LONGEST]
        few = lines[:: max(len(lines) * len(files) // _TEXTS_OF_FIELD, 1)]
        found += [text for text in few if normalize(text, field) not in held]
    return found


def same(text: str, field: str, chance: random.Random) -> str | None:
    """Another form of a text that means the same, or None."""
    ways: list[Callable[[], str | None]] = [
        lambda view=view: vary(view, text, chance.randrange(1 << 30))  # type: ignore[misc]
        for view in views(field)
        if not view.evasion
    ]
    ways += [lambda: _next_number(text, field, chance), lambda: _doubled(text, field)]
    chance.shuffle(ways)
    return next((form for way in ways if (form := way()) is not None), None)


def _next_number(text: str, field: str, chance: random.Random) -> str | None:
    """Another digit in a number that only tells things of one kind apart.

    An identifier, a time or a process; a host's number among machines, a version's last part.
    """
    found = list(_NUMBERS.get(field, _LONG_NUMBER).finditer(text))
    if not found:
        return None
    place = chance.choice(found).end() - 1
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]


def _doubled(text: str, field: str) -> str | None:
    """A space or a slash of a path twice, outside quotes."""
    sign = "/" if field == "path" else " "
    plain = re.split(r"['\"\n]", text, maxsplit=1)[0]
    place = plain.find(sign, 1)
    return None if place < 0 or field in ("url", "hostname") else text[:place] + sign + text[place:]


def pooled(encoder: Encoder, rows: Sequence[Sequence[int]]) -> Tensor:
    """Mean hidden states [rows, hidden] of rows of any lengths, padded to few.

    The token table is read once for all: its gradient is as large as the table, and a pass each
    would write as many of them.
    """
    lengths = np.array([len(row) for row in rows])
    padded = -(-lengths // _STEP) * _STEP
    order = np.argsort(padded, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(padded[order])) + 1)
    ids = [token for i in order for token in [*rows[i], *[0] * (padded[i] - lengths[i])]]
    embedded = encoder.embeddings(torch.tensor(ids))
    parts = embedded.split([int(padded[group].sum()) for group in groups])
    means = []
    for part, group in zip(parts, groups, strict=True):
        x = part.view(len(group), -1, part.shape[1])
        count = torch.from_numpy(lengths[group])[:, None]
        padding = torch.arange(x.shape[1]) >= count
        hidden = encoder.transform(x, padding).masked_fill(padding[..., None], 0)
        means.append(hidden.sum(1) / count)
    return torch.cat(means)[torch.from_numpy(np.argsort(order))]


def loss(encoder: Encoder, triples: Triples, ranking: float = 0.0) -> Tensor:
    """InfoNCE of first texts among all second texts and near misses, in the mean over dimensions.

    Args:
        encoder: gives the vectors.
        triples: the pairs and their near misses.
        ranking: weight of a second term, for pairs that mean the same: every one of them shall be
            nearer than every near miss is to its own text (a smooth bound of one minus the AUC).

    Returns:
        Nats; zero where there is no pair.
    """
    count = len(triples.first)
    if count < 2:
        return torch.zeros(())
    vectors = pooled(encoder, triples.texts).float()
    with torch.autocast("cpu", enabled=False):  # cosines differ in their third decimal
        return _apart(vectors, count, ranking)


def _apart(vectors: Tensor, count: int, ranking: float) -> Tensor:
    losses, own = [], torch.arange(count)
    for dimensions in (*DIMENSIONS, vectors.shape[1]):
        unit = F.normalize(vectors[:, :dimensions], dim=1)
        cosine = unit[:count] @ unit[count:].T
        losses.append(F.cross_entropy(cosine / TEMPERATURE, own))
        if ranking:
            form, miss = cosine[own, own], cosine[own, own + count]
            further = (miss[None, :] - form[:, None]) / RANKING_TEMPERATURE
            losses[-1] = losses[-1] + ranking * F.softplus(further).mean()
    return torch.stack(losses).mean()
