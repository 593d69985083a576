"""What a run amounted to: every row is counted once, as answered, abstained or bad."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmist.verdict import Verdict


class Summary:
    """Counts over the rows of one run; ``rows == answered + abstained + bad``.

    A row that several tasks were asked about is answered if one of them answers.

    Args:
        tasks: what every row is asked about; none when each row is routed to its specialists.
    """

    def __init__(self, *tasks: str) -> None:
        self.tasks = tasks
        self.answered = 0
        self.labels: Counter[str] = Counter()
        self.abstained: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.filtered = 0
        self.unreadable: list[str] = []
        self._start = monotonic()
        self._seconds: float | None = None

    def add(self, *verdicts: Verdict) -> None:
        """Count the verdicts on one row."""
        labels = [verdict for verdict in verdicts if verdict.label is not None]
        for verdict in labels:
            alone = len(self.tasks) == 1
            self.labels[str(verdict.label) if alone else f"{verdict.task} {verdict.label}"] += 1
        if labels:
            self.answered += 1
        elif verdicts[0].status == "abstain":
            self.abstained[verdicts[0].reason or "unsaid"] += 1
        else:
            self.bad[verdicts[0].reason or "unsaid"] += 1

    def finish(self, *, filtered: int, unreadable: list[str]) -> None:
        """Stop the clock; take over what only the reader knows."""
        self._seconds = monotonic() - self._start
        self.filtered = filtered
        self.unreadable = list(unreadable)

    @property
    def seconds(self) -> float:
        """Time from the first read to the end, without loading the model."""
        return monotonic() - self._start if self._seconds is None else self._seconds

    @property
    def rows(self) -> int:
        """Rows that got a verdict."""
        return self.answered + self.abstained.total() + self.bad.total()

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {
            "task": ", ".join(self.tasks) or None,
            "rows": self.rows,
            "answered": self.answered,
            "abstained": self.abstained.total(),
            "bad": self.bad.total(),
            "filtered": self.filtered,
            "labels": dict(self.labels.most_common()),
            "abstain_reasons": dict(self.abstained.most_common()),
            "bad_reasons": dict(self.bad.most_common()),
            "unreadable": self.unreadable,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(self._rate(), 1),
        }

    def lines(self) -> list[str]:
        """The summary for people."""
        counts = [
            ("rows", self.rows, f"in {self.seconds:.2f} s, {self._rate():,.0f} rows/s"),
            ("answered", self.answered, _listed(self.labels)),
            ("abstained", self.abstained.total(), _listed(self.abstained)),
            ("bad", self.bad.total(), _listed(self.bad)),
            ("filtered", self.filtered, "records without such a text, not asked about"),
        ]
        if self.unreadable:
            counts.append(("unreadable", len(self.unreadable), "inputs, reported above"))
        width = max(len(f"{count:,}") for _, count, _ in counts)
        return [
            f"{name:<10} {count:>{width},}  {note if count else ''}".rstrip()
            for name, count, note in counts
        ]

    def _rate(self) -> float:
        return self.rows / max(self.seconds, 1e-6)


def _listed(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counter.most_common())
