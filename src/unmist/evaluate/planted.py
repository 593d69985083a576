"""Does a map against an earlier one show what is new? Batches of generated names are planted.

::

    python -m unmist.evaluate.planted --names names.csv --planted FAMILIES/extra.tsv.zst \\
        --rows 10000 --batch 100 -o planted.json

The earlier map holds names of every second list. The later one holds them again, as many ordinary
names of the other lists as are planted, so that to be new is not enough, and the batch of one
family. A batch is shown when its names stand in clusters that the map calls new.
"""

import argparse
import csv
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import unmist
from unmist.errors import InputError, UsageError
from unmist.io import AtomicFile
from unmist.labelled.data import examples, open_text
from unmist.map import MapPoints, OldMap, Settings, build, read_map, write_map
from unmist.map.points import Texts


def shown(points: MapPoints, planted: set[str]) -> dict[str, Any]:
    """How a batch of planted texts came out.

    Returns:
        ``in_new_clusters``, the share of the batch that stands in new clusters; ``purity``, the
        share of those clusters that is planted; ``new_clusters`` and ``clusters``, their numbers;
        ``names`` of the new clusters that hold some of the batch.
    """
    fresh = points.new_clusters()
    ours = np.array([text in planted for text in points.texts.texts], bool)
    holding = [c for c in fresh if ours[points.clusters == c].any()]
    inside = np.isin(points.clusters, holding)
    return {
        "in_new_clusters": round(float((ours & inside).sum() / max(int(ours.sum()), 1)), 3),
        "purity": round(float(ours[inside].mean()), 3) if inside.any() else None,
        "new_clusters": len(fresh),
        "clusters": len(points.names),
        "names": [points.names[c] for c in holding],
    }


def compare(
    model: "unmist.Model",
    names: list[tuple[str, str]],
    families: dict[str, list[str]],
    rows: int,
    batch: int,
    settings: Settings,
) -> dict[str, Any]:
    """A later map for every family, all against one earlier map.

    Args:
        model: gives the vectors.
        names: pairs of text and list.
        families: generated names by family.
        rows: names of the earlier map.
        batch: names to plant; as many ordinary new ones are added.
        settings: of the maps.

    Raises:
        UsageError: there are fewer names than asked for.
    """
    lists = sorted({source for _, source in names})
    random = np.random.default_rng(settings.seed)
    old = _some(random, [t for t, s in names if lists.index(s) % 2 == 0], rows)
    other = _some(random, [t for t, s in names if lists.index(s) % 2], batch)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "old.parquet"
        write_map(path, build(model, _texts(old), settings))
        earlier: OldMap = read_map(path)
    found = {}
    for family, generated in families.items():
        planted = _some(random, generated, batch)
        later = build(model, _texts(old + other + planted), settings, against=earlier)
        found[family] = shown(later, set(planted))
    return {"rows": rows, "batch": batch, "model": model.hash, "families": found}


def _some(random: np.random.Generator, texts: list[str], number: int) -> list[str]:
    if number > len(texts):
        raise UsageError(f"{number:,} names were asked for, there are {len(texts):,}")
    return [texts[i] for i in np.sort(random.choice(len(texts), number, replace=False))]


def _texts(texts: list[str]) -> Texts:
    distinct = list(dict.fromkeys(texts))
    n = len(distinct)
    return Texts(distinct, ["planted"] * n, list(range(1, n + 1)), [1] * n, {})


def _read_names(path: Path) -> list[tuple[str, str]]:
    with open_text(path) as stream:
        reader = csv.DictReader(stream)
        if not {"text", "source"} <= set(reader.fieldnames or ()):
            raise InputError("expected columns text and source", str(path), 1)
        return [(row["text"], row["source"]) for row in reader]


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Planted batches against an earlier map.")
    parser.add_argument("--names", type=Path, required=True, help="CSV: text, source")
    parser.add_argument("--planted", type=Path, required=True, help="labelled file of families")
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--family", action="append", help="only this one; repeatable")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--model", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    families: dict[str, list[str]] = {}
    for example in examples(args.planted):
        families.setdefault(example.label, []).append(example.text)
    # The larger families only: a batch is drawn from many more names than it holds.
    families = {
        family: names
        for family, names in sorted(families.items())
        if len(names) >= 5 * args.batch and (not args.family or family in args.family)
    }
    settings = Settings(threads=args.threads)
    result = compare(
        unmist.load(args.model, threads=args.threads or None),
        _read_names(args.names), families, args.rows, args.batch, settings,
    )  # fmt: skip
    text = json.dumps(result, indent=1) + "\n"
    if args.output is not None:
        with AtomicFile(args.output) as file:
            file.write(text.encode())
    print(text, end="")


if __name__ == "__main__":
    main()
