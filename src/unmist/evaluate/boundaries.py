"""Where a text has its joints, to be compared with where a tokenizer cuts it.

The gold of a text is a list of spans, e.g. the labels of a hostname. What lies between two spans
is a separator, and it is all the same whether a cut comes before it, after it or both. A cut
inside a span is wrong. Positions count characters from the start.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

Span = tuple[int, int]

_QUOTED: Final = re.compile(r""""(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+""")
_ADDRESS: Final = re.compile(r"^(?:([a-z][a-z0-9+.-]*)://)?(?:[^/?#@]*@)?([^/?#:]*)", re.IGNORECASE)
_WORDS: Final = re.compile(r"[^\s/?#&=;:,.%<>()\[\]{}\"'+]+")
_RUNS: Final = re.compile(
    r"(?P<percent>(?:%[0-9A-Fa-f]{2}){2,})"
    r"|(?P<escape>(?:\\x[0-9A-Fa-f]{2}){2,})"
    r"|(?P<hex>(?<![0-9A-Za-z])(?:[0-9A-Fa-f]{2}){8,}(?![0-9A-Za-z+/]))"
    r"|(?P<base64>(?<![A-Za-z0-9+/])[A-Za-z0-9+/_-]{20,}={0,2})"
)
_CODE: Final = {"percent": 3, "escape": 4, "hex": 2, "base64": 1}  # characters of one code


@dataclass(frozen=True)
class Gold:
    """Spans in order, and positions inside them where a cut is neither right nor wrong."""

    spans: list[Span]
    neutral: frozenset[int] = frozenset()


def hostname(text: str) -> Gold:
    """Its labels, the public suffix as one: ``mail | google | co.uk``."""
    return Gold(_labels(text))


def url(text: str) -> Gold:
    """Scheme, the host's labels, port, path segments, parameter names and values, fragment."""
    match = _ADDRESS.match(text)
    assert match is not None  # every part of the pattern is optional
    spans = [match.span(1)] if match[1] else []
    start, rest = match.span(2)
    spans += [(start + a, start + b) for a, b in _labels(match[2])]
    return Gold(spans + [m.span() for m in re.compile(r"[^/?#&=;:]+").finditer(text, rest)])


def path(text: str) -> Gold:
    """Segments, and the last extension of each by itself: ``Windows | cmd | exe``."""
    spans: list[Span] = []
    for match in re.finditer(r"[^/\\]+", text):
        start, stop = match.span()
        dot = text.rfind(".", start + 1, stop - 1)
        spans += [(start, dot), (dot + 1, stop)] if dot > 0 else [(start, stop)]
    return Gold(spans)


def command(text: str) -> Gold:
    """Arguments as a shell would part them; a quoted one without its quotes."""
    spans = []
    for match in _QUOTED.finditer(text):
        start, stop = match.span()
        if match[0][0] in "\"'":
            start, stop = start + 1, stop - 1
        if start < stop:
            spans.append((start, stop))
    return Gold(spans)


def header(text: str) -> Gold:
    """Words and versions between spaces, slashes, brackets, commas, semicolons and colons."""
    return Gold([m.span() for m in re.finditer(r"[^\s/()\[\],;:=\"]+", text)])


def encoded(text: str) -> Gold:
    """Runs of percent codes, ``\\x`` codes, hexadecimal and base64, and the words between them.

    A cut between two codes of a run is neutral, one inside a code is wrong; base64 has no codes
    that end at a character, so every cut inside such a run is neutral.
    """
    spans: list[Span] = []
    neutral: set[int] = set()
    end = 0
    for run in _RUNS.finditer(text):
        start, stop = run.span()
        spans += [m.span() for m in _WORDS.finditer(text, end, start)]
        spans.append((start, stop))
        neutral.update(range(start, stop, _CODE[str(run.lastgroup)]))
        end = stop
    return Gold(spans + [m.span() for m in _WORDS.finditer(text, end)], frozenset(neutral))


GOLD: Final[dict[str, Callable[[str], Gold]]] = {
    "hostname": hostname,
    "url": url,
    "path": path,
    "command": command,
    "header": header,
    "encoded": encoded,
}


@dataclass(frozen=True)
class Agreement:
    """Counts over texts: joints that were cut, cuts inside spans, joints that there are."""

    right: int = 0
    wrong: int = 0
    joints: int = 0

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.right + other.right, self.wrong + other.wrong, self.joints + other.joints
        )

    @property
    def f1(self) -> float:
        """Harmonic mean of right / (right + wrong) and right / joints; 0 without any."""
        total = 2 * self.right + self.wrong + (self.joints - self.right)
        return 2 * self.right / total if total else 0.0


def compare(gold: Gold, cuts: Iterable[int]) -> Agreement:
    """A tokenizer's cuts against the gold of one text. Cuts before the first and after the last
    span do not count."""
    made = set(cuts)
    right = wrong = 0
    for start, stop in gold.spans:
        wrong += sum(cut in made and cut not in gold.neutral for cut in range(start + 1, stop))
    for (_, end), (start, _) in zip(gold.spans, gold.spans[1:], strict=False):
        right += any(cut in made for cut in range(end, start + 1))
    return Agreement(right, wrong, max(len(gold.spans) - 1, 0))


def _labels(name: str) -> list[Span]:
    name = name.rstrip(".")
    suffix = str(_suffixes().publicsuffix(name.lower()) or "")
    if not suffix or len(suffix) >= len(name):
        return [m.span() for m in re.finditer(r"[^.]+", name)]
    at = len(name) - len(suffix)
    return [*(m.span() for m in re.compile(r"[^.]+").finditer(name, 0, at)), (at, len(name))]


@cache
def _suffixes() -> Any:
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(only_icann=True)
