"""What a run amounted to: every row is counted once, as answered, abstained or bad."""

from __future__ import annotations

from collections import Counter
from time import monotonic
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unmist.verdict import Verdict


class Summary:
    """Counts over the verdicts of one run; ``rows == answered + abstained + bad``."""

    def __init__(self, task: str) -> None:
        self.task = task
        self.labels: Counter[str] = Counter()
        self.abstained: Counter[str] = Counter()
        self.bad: Counter[str] = Counter()
        self.filtered = 0
        self.unreadable: list[str] = []
        self._start = monotonic()
        self._seconds: float | None = None

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        if verdict.status == "ok":
            self.labels[verdict.label or ""] += 1
        elif verdict.status == "abstain":
            self.abstained[verdict.reason or "unsaid"] += 1
        else:
            self.bad[verdict.reason or "unsaid"] += 1

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
        return self.labels.total() + self.abstained.total() + self.bad.total()

    def as_dict(self) -> dict[str, Any]:
        """The summary for ``--json``."""
        return {
            "task": self.task,
            "rows": self.rows,
            "answered": self.labels.total(),
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
            ("answered", self.labels.total(), _listed(self.labels)),
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
