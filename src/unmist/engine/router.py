"""Which field kind a text is of, told by a linear layer on hashed byte n-grams.

It answers two questions: which specialists to ask when nobody said what a text is, and whether a
text is so unlike a specialist's kind that its answer would mean nothing.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from unmist.artifact.load import Router as Weights
from unmist.engine.wide import Wide
from unmist.text import NEVER_RUN, is_run, kind_by_syntax

EDGE: Final = 64  # bytes read at either end of a text: time stays bounded, and that says enough


class Router:
    """Args:
    weights: as read from a model folder.

    Attributes:
        fields: field kinds, in the order of the columns of :meth:`probabilities`.
    """

    def __init__(self, weights: Weights) -> None:
        card = weights.card
        self.fields = tuple(card.fields)
        self._wide = Wide(*weights.weights)
        self._bias, self._temperature = np.array(card.bias), card.temperature
        self._least = card.familiar

    def probabilities(self, texts: Sequence[bytes]) -> np.ndarray:
        """float32 [n, fields]."""
        logits = self._wide.logits([ends(text) for text in texts]) + self._bias
        odds = np.exp((logits - logits.max(axis=1, keepdims=True)) / self._temperature)
        out: np.ndarray = (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)
        return out

    def kinds(self, texts: Sequence[bytes]) -> list[tuple[str, float]]:
        """The field kind of each text and the probability of it, 1 where syntax tells it.

        Syntax also tells a command, but only against kinds of which none begins like one.
        """
        odds = self.probabilities(texts)
        best = odds.argmax(axis=1).tolist()
        found = [(self.fields[i], float(row[i])) for i, row in zip(best, odds, strict=True)]
        for place, text in enumerate(texts):
            if (plain := kind_by_syntax(text)) is not None:
                found[place] = plain, 1.0
            elif found[place][0] in NEVER_RUN and is_run(text):
                found[place] = "command", 1.0
        return found

    def familiar(self, texts: Sequence[bytes], field: str) -> np.ndarray:
        """Whether each text is like those of a field kind: bool [n]. A kind that was not trained
        is open to everything, and to any kind what has its syntax is familiar."""
        if field not in self._least:
            return np.ones(len(texts), bool)
        odds = self.probabilities(texts)[:, self.fields.index(field)]
        found: np.ndarray = odds >= self._least[field]
        for place in np.flatnonzero(~found).tolist():
            found[place] = _of_syntax(texts[place], field)
        return found


def _of_syntax(text: bytes, field: str) -> bool:
    return kind_by_syntax(text) == field or (field == "command" and is_run(text))


def ends(text: bytes) -> bytes:
    """The part of a text that is read: its beginning and its end."""
    text = text.strip()
    return text if len(text) <= 2 * EDGE else text[:EDGE] + text[-EDGE:]
