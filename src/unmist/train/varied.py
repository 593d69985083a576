"""Rows in other spellings, so that a specialist answers alike however a text is written.

The spellings are those of :mod:`unmist.text.views` that may be learnt; which one a row gets is
drawn among those of its field kind that apply to it and that normalising does not undo. Source of
learning from them: Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural
Networks", ICDAR 2003 (known there as data augmentation).
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from unmist.text import normalize
from unmist.text.views import vary, views
from unmist.train.corpus import Example


def rows(examples: Sequence[Example], field: str, seed: int, share: float) -> list[Example]:
    """Some of the rows once more, each in one other spelling; those that have none are left out.

    Args:
        examples: labelled rows.
        field: their field kind, which decides the spellings.
        seed: which rows are drawn, and how each is spelled.
        share: of the rows, 0 to 1.
    """
    chance = random.Random(f"varied {seed}")
    return again(examples, share, chance, lambda text: _other(text, field, chance, seed))


def again(
    examples: Sequence[Example],
    share: float,
    chance: random.Random,
    make: Callable[[str], str | None],
) -> list[Example]:
    """A share of the rows once more, with what ``make`` makes of their texts; those of which it
    makes None or the text itself are left out."""
    drawn = chance.sample(examples, round(share * len(examples)))
    said = [(row, make(row.text)) for row in drawn]
    return [replace(row, text=t) for row, t in said if t is not None and t != row.text]


def _other(text: str, field: str, chance: random.Random, seed: int) -> str | None:
    """One spelling that reads differently once normalised; of those that mean the same as often as
    of those that evade, where there are both."""
    known, read = [view for view in views(field) if view.learnt], normalize(text, field)
    order = chance.sample(known, len(known))
    order.sort(key=lambda view: view.evasion, reverse=chance.random() < 0.5)
    tried = (vary(view, text, seed) for view in order)
    return next((o for o in tried if o is not None and normalize(o, field) != read), None)
