"""Does any row that is used for measuring stand among the rows that are learnt from?

::

    python -m unmist.train.contamination --data DATA -o OUT

Two keys are compared, within a field kind: the normalised text itself, and the text in lower case
with every run of digits as one 0 and every run of white space as one space (*masked*). A row is
learnt from as :func:`unmist.train.mixture.prepare` does it, which leaves out what
:func:`unmist.train.corpus.withheld` names. Writes OUT/contamination.json and .md.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from unmist.io import AtomicFile
from unmist.text import FIELDS, normalize
from unmist.train import corpus
from unmist.train.corpus import withheld

_DIGITS: Final = re.compile(r"[0-9]+")
_SPACE: Final = re.compile(r"\s+")


def masked(text: str) -> str:
    """Lower case, runs of digits as one 0, runs of white space as one space."""
    return _SPACE.sub(" ", _DIGITS.sub("0", text.lower())).strip()


@dataclass
class Source:
    """Rows of one source that meet a held-out text.

    Attributes:
        rows: rows in the file.
        exact_before: rows equal to a held-out text, which training leaves out.
        exact: such rows that are learnt from all the same; must be 0.
        masked: rows learnt from that are equal to a held-out text but for digits, case and space.
    """

    field: str
    name: str
    rows: int = 0
    exact_before: int = 0
    exact: int = 0
    masked: int = 0


@dataclass
class HeldOut:
    """Distinct texts of one held-out file, and how many a row learnt from equals, masked."""

    field: str
    name: str
    texts: int
    masked: int = 0


@dataclass
class Result:
    """Everything that was counted."""

    sources: list[Source] = field(default_factory=list)
    held_out: list[HeldOut] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        """Whether no held-out text is learnt from as it stands."""
        return not any(source.exact for source in self.sources)


def check(data: Path, fields: Iterable[str] = FIELDS) -> Result:
    """Compare every training row of the data folder with every held-out row of its field kind.

    Raises:
        InputError: a file cannot be read.
    """
    result = Result()
    for name in fields:
        held = {
            f"{file.parent.name}/{file.name.removesuffix('.tsv.zst')}": {
                str(normalize(row.text, name)) for row in corpus.examples(file)
            }
            for file in corpus.held_out_files(data, name)
        }
        if held:
            _check_field(data, name, held, result)
    return result


def _check_field(data: Path, name: str, held: dict[str, set[str]], result: Result) -> None:
    exact = set().union(*held.values())
    keys = {file: {masked(text) for text in texts} for file, texts in held.items()}
    every_key = set().union(*keys.values())
    left_out = withheld(data, name)
    met: set[str] = set()
    for source, texts in _learnt(data, name):
        counted = Source(name, source)
        for raw in texts:
            text = str(normalize(raw, name))
            counted.rows += 1
            counted.exact_before += text in exact
            if text in left_out:
                continue
            counted.exact += text in exact
            if (key := masked(text)) in every_key:
                counted.masked += 1
                met.add(key)
        result.sources.append(counted)
    for file, of in held.items():
        twins = sum(masked(text) in met for text in of)
        result.held_out.append(HeldOut(name, file, len(of), twins))


def _learnt(data: Path, name: str) -> Iterator[tuple[str, Iterator[str]]]:
    """Each pretraining file and each training split of a field, with its texts."""
    if (data / "pretrain" / name).is_dir():
        for path in corpus.sources(data, name):
            yield f"pretrain/{path.name.removesuffix('.txt.zst')}", corpus.lines(path)
    for path in sorted((data / "tasks").glob("*/train.tsv.zst")):
        if corpus.field_of(data, path.parent.name) == name:
            rows = corpus.examples(path)
            yield f"tasks/{path.parent.name}", (row.text for row in rows)


def markdown(result: Result) -> str:
    """A page: totals per field, then what was met, file by file."""
    lines = [
        "# Contamination",
        "",
        "Rows that are learnt from against dev, test and extra rows of every task of the same",
        "field. Equal: once normalised; training leaves those out. A twin: equal in lower case",
        "with every number as 0; those stay, and are counted here.",
        "",
        "| field | rows | equal to a held-out text | of those learnt from | twins learnt from |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in dict.fromkeys(source.field for source in result.sources):
        of = [source for source in result.sources if source.field == name]
        lines.append(
            f"| {name} | {sum(s.rows for s in of):,} | {sum(s.exact_before for s in of):,} "
            f"| {sum(s.exact for s in of):,} | {sum(s.masked for s in of):,} |"
        )
    lines += [
        "",
        "Sources with such rows:",
        "",
        "| field | source | rows | equal, left out | twins learnt from |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {s.field} | {s.name} | {s.rows:,} | {s.exact_before - s.exact:,} | {s.masked:,} |"
        for s in result.sources
        if s.exact_before or s.masked
    ]
    lines += [
        "",
        "Held-out files, and how many of their texts have such a twin among the rows learnt from:",
        "",
        "| field | file | distinct texts | with a twin | share |",
        "|---|---|---:|---:|---:|",
    ]
    lines += [
        f"| {h.field} | {h.name} | {h.texts:,} | {h.masked:,} | {h.masked / max(h.texts, 1):.1%} |"
        for h in result.held_out
    ]
    return "\n".join(lines) + "\n"


def as_dict(result: Result) -> dict[str, Any]:
    """For JSON: totals, sources, held-out files."""
    totals: Counter[str] = Counter()
    for source in result.sources:
        totals.update(
            {key: value for key, value in asdict(source).items() if isinstance(value, int)}
        )
    return {
        "clean": result.clean,
        "totals": dict(totals),
        "sources": [asdict(source) for source in result.sources],
        "held_out": [asdict(file) for file in result.held_out],
    }


def main() -> None:
    """Command line of the module; exit code 1 when a held-out text is learnt from."""
    parser = argparse.ArgumentParser(description="Held-out rows among the rows learnt from.")
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/ and tasks/")
    parser.add_argument("--fields", default=",".join(FIELDS))
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    args = parser.parse_args()
    result = check(args.data, args.fields.split(","))
    args.output.mkdir(parents=True, exist_ok=True)
    pages = {
        "contamination.json": json.dumps(as_dict(result), indent=1) + "\n",
        "contamination.md": markdown(result),
    }
    for name, text in pages.items():
        with AtomicFile(args.output / name) as file:
            file.write(text.encode())
    raise SystemExit(0 if result.clean else 1)


if __name__ == "__main__":
    main()
