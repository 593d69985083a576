"""Hostnames without their public suffix, so that a specialist learns what the name itself says.

Where the suffix tells much (``.gov``), a specialist that always saw it learns little else.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unmist.train.corpus import Example
from unmist.train.holdout import without_suffix

SOURCE: Final = "without suffix"
SHARE: Final = 0.5


def rows(examples: Sequence[Example], seed: int, share: float = SHARE) -> list[Example]:
    """Some of the rows once more, without their public suffix.

    Args:
        examples: labelled hostnames.
        seed: which rows are drawn.
        share: of the rows, 0 to 1; those that have none to lose are left out.
    """
    chance = random.Random(f"bare {seed}")
    drawn = chance.sample(examples, round(share * len(examples)))
    short = [(row, without_suffix(row.text)) for row in drawn]
    return [replace(row, text=text, source=SOURCE) for row, text in short if text != row.text]
