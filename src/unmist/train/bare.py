"""Hostnames without their public suffix, so that a specialist learns what the name itself says.

Where the suffix tells much (``.gov``), a specialist that always saw it learns little else.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from unmist.train.corpus import Example
from unmist.train.holdout import without_suffix
from unmist.train.varied import again

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
    short = again(examples, share, chance, without_suffix)
    return [replace(row, source=SOURCE) for row in short]
