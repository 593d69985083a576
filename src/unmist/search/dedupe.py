"""Groups of near-equal texts, the same ones whatever the order of the rows."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from unmist.search.distinct import Distinct
from unmist.search.rows import Rows

_BLOCK: Final = 1024


class Text(NamedTuple):
    """A distinct text, as rows have it.

    Attributes:
        text: the spelling that sorts first.
        rows: how many have it.
        source, line: its first row.
    """

    text: str
    rows: int
    source: str
    line: int


class Group(NamedTuple):
    """Texts within the threshold of the first one, which stands for them.

    Attributes:
        members: places of the texts, the representative first, then nearest first.
        cosines: cosine of each with the representative.
    """

    members: list[int]
    cosines: list[float]


class Gathering:
    """Collects the distinct texts of rows, with their vectors, in memory."""

    def __init__(self, distinct: Distinct) -> None:
        self._distinct = distinct
        self._parts: list[np.ndarray] = []
        self.texts: list[Text] = []

    def add(self, rows: Rows, source: str) -> None:
        """Take some rows. Raises as ``Distinct.add`` does."""
        if not rows.texts:
            return
        added = self._distinct.add(rows, source)
        self._parts.append(added.vectors)
        places = (rows.table.column(name).to_pylist() for name in ("source", "line"))
        for number, text, origin, line in zip(added.numbers, rows.texts, *places, strict=True):
            if number == len(self.texts):
                self.texts.append(Text(text, 1, origin, line))
            else:
                seen = self.texts[number]
                self.texts[number] = seen._replace(text=min(seen.text, text), rows=seen.rows + 1)

    @property
    def vectors(self) -> np.ndarray:
        """Unit vectors of the texts, float16 [n, dim]."""
        if not self._parts:
            return np.empty((0, max(self._distinct.dim, 1)), np.float16)
        return np.concatenate(self._parts)


def group(texts: Sequence[Text], vectors: np.ndarray, threshold: float) -> list[Group]:
    """Group texts around representatives.

    Texts are taken by falling count, then by spelling. One that is within ``threshold`` of a
    representative joins the nearest; any other becomes one itself. So every text is as near to
    its representative as the threshold says, no chain of small steps leads from one text to
    another, and no two representatives are near-equal.

    The time grows with texts times representatives.

    Args:
        texts: distinct texts. [n]
        vectors: their unit vectors, float16 or float32. [n, dim]
        threshold: least cosine of near-equal texts.

    Returns:
        Groups by falling number of rows, then by the spelling of the representative.
    """
    order = sorted(range(len(texts)), key=lambda i: (-texts[i].rows, texts[i].text))
    heads = np.empty((len(texts), vectors.shape[1]), np.float32)
    groups: list[Group] = []
    for start in range(0, len(order), _BLOCK):
        block = order[start : start + _BLOCK]
        own = vectors[block].astype(np.float32)
        before = len(groups)
        fresh = _join(own, block, heads[:before], groups, threshold)
        heads[before : len(groups)] = own[fresh]
    ranked = [_ranked(g, texts) for g in groups]
    rows = {g.members[0]: sum(texts[m].rows for m in g.members) for g in ranked}
    return sorted(ranked, key=lambda g: (-rows[g.members[0]], texts[g.members[0]].text))


def _join(
    own: np.ndarray, block: list[int], heads: np.ndarray, groups: list[Group], threshold: float
) -> list[int]:
    """Put a block of texts into groups; the places in it that became representatives."""
    best, head = _best(own, heads)
    among = own @ own.T
    before, fresh = len(groups), list[int]()
    for i, text in enumerate(block):
        cosine, place = float(best[i]), int(head[i])
        if fresh:
            near = among[i, fresh]
            j = int(near.argmax())
            if near[j] > cosine:
                cosine, place = float(near[j]), before + j
        if cosine >= threshold:
            groups[place].members.append(text)
            groups[place].cosines.append(min(cosine, 1.0))
        else:
            fresh.append(i)
            groups.append(Group([text], [1.0]))
    return fresh


def _best(own: np.ndarray, heads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    best = np.full(len(own), -np.inf, np.float32)
    head = np.zeros(len(own), np.int64)
    for start in range(0, len(heads), 1 << 16):
        cosines = own @ heads[start : start + (1 << 16)].T
        place = cosines.argmax(axis=1)
        found = cosines[np.arange(len(own)), place]
        better = found > best
        best[better], head[better] = found[better], place[better] + start
    return best, head


def _ranked(one: Group, texts: Sequence[Text]) -> Group:
    rest = sorted(
        zip(one.members[1:], one.cosines[1:], strict=True),
        key=lambda pair: (-round(pair[1], 6), texts[pair[0]].text),
    )
    return Group([one.members[0], *(m for m, _ in rest)], [one.cosines[0], *(c for _, c in rest)])
