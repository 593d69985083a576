"""An even sample of a folder of lists, the same each time.

::

    python -m unmist.evaluate.sample --data DATA/pretrain/hostname --rows 100000 -o names.csv

Every list gives the same number of names; what a short one lacks is spread over the others. A
larger sample with the same seed holds the smaller one.
"""

import argparse
import csv
import io
import zlib
from pathlib import Path

import numpy as np

from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile
from unmist.labelled.data import open_text


def shares(sizes: list[int], rows: int) -> list[int]:
    """How many rows each of several lists gives: as even as their sizes allow, ``rows`` in all.

    Raises:
        UsageError: the lists hold fewer rows.
    """
    if rows > sum(sizes):
        raise UsageError(f"the lists hold {sum(sizes):,} rows, {rows:,} were asked for")
    given = [0] * len(sizes)
    left = rows
    for done, i in enumerate(sorted(range(len(sizes)), key=lambda i: (sizes[i], i))):
        given[i] = min(sizes[i], left // (len(sizes) - done))
        left -= given[i]
    return given


def sample(folder: Path, rows: int, seed: int = 0) -> list[tuple[str, str]]:
    """Pairs of text and list, ``rows`` of them, list by list.

    Args:
        folder: holds one item a line in ``<list>.txt``, ``.txt.zst`` or ``.txt.gz``.
        rows: how many.
        seed: of the drawing.

    Raises:
        InputError: there is no list, or one cannot be read.
        UsageError: there are fewer rows than asked for.
    """
    paths = sorted(p for p in folder.glob("*.txt*") if p.is_file())
    if not paths:
        raise InputError("no lists; expected files such as NAME.txt.zst", str(folder))
    given = shares([_count(path) for path in paths], rows)
    found = []
    for path, number in zip(paths, given, strict=True):
        name = path.name.partition(".txt")[0]
        with open_text(path) as stream:
            texts = [line for line in stream.read().split("\n") if line]
        random = np.random.default_rng([seed, zlib.crc32(name.encode())])
        found += [(texts[i], name) for i in np.sort(random.permutation(len(texts))[:number])]
    return found


def _count(path: Path) -> int:
    with open_text(path) as stream:
        return sum(1 for line in stream if line != "\n")


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="An even sample of a folder of lists.")
    parser.add_argument("--data", type=Path, required=True, help="folder of lists, one item a line")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True, help="CSV: text, source")
    args = parser.parse_args()
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("text", "source"))
    writer.writerows(sample(args.data, args.rows, args.seed))
    with AtomicFile(args.output) as file:
        file.write(table.getvalue().encode())


if __name__ == "__main__":
    main()
