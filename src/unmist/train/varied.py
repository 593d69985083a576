"""Rows in other spellings, so that a specialist answers alike however a text is written.

The spellings are those of :mod:`unmist.text.views`; which one a row gets is drawn among those of
its field kind that apply to it and that normalising does not undo. Source of learning from them:
Simard, Steinkraus and Platt, "Best Practices for Convolutional Neural Networks", ICDAR 2003 (known
there as data augmentation).
"""

import random
from collections.abc import Sequence
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
    drawn = chance.sample(examples, round(share * len(examples)))
    said = [(row, _other(row.text, field, chance, seed)) for row in drawn]
    return [replace(row, text=text) for row, text in said if text is not None]


def _other(text: str, field: str, chance: random.Random, seed: int) -> str | None:
    """One spelling that reads differently once normalised; of those that mean the same as often as
    of those that evade, where there are both."""
    known, read = views(field), normalize(text, field)
    order = chance.sample(known, len(known))
    order.sort(key=lambda view: view.evasion, reverse=chance.random() < 0.5)
    tried = (vary(view, text, seed) for view in order)
    return next((o for o in tried if o is not None and normalize(o, field) != read), None)
