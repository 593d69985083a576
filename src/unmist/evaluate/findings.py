"""What the clusters of a map of hostnames are, judged by stated rules and not by hand.

::

    python -m unmist.evaluate.findings map.parquet --read read.tsv -o findings.json \\
        --markdown findings.md --figures FOLDER

Every cluster is judged by the same rules, and the best ones are listed:

- small businesses: share of names that are a domain of their own under a country's suffix, times
  share that is named after a trade (:mod:`unmist.evaluate.trades`). This points at a cluster; how
  many of its names are small businesses is then read by eye. ``--read`` holds what was read, by
  hash, so that the figures can be computed again without the names;
- Russian and Polish numbers: share of names that end in ``.ru`` or ``.pl`` and hold digits, times
  share of the most common digit format (:func:`digit_format`) among them;
- one list: share of the list that gives most names, where the map has a column ``source``.
"""

import argparse
import csv
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from unmist.errors import InputError
from unmist.evaluate.trades import national, small_business
from unmist.evaluate.zooms import write_zoom
from unmist.io import AtomicFile
from unmist.labelled.data import open_text
from unmist.map import OldMap, read_map
from unmist.visible import visible

BAR: Final = 0.6
BEST: Final = 5
ANSWERS: Final = ("yes", "no", "unclear")
_RUN: Final = re.compile(r"[0-9]+")


def digit_format(host: str) -> str:
    """How many numbers a hostname holds before its last label: ``0-0-0-0`` for
    ``ip-10-2.7x1.example.ru``, an empty string for none."""
    return "-".join("0" for _ in _RUN.finditer(host.rstrip(".").rpartition(".")[0]))


def numbered(host: str) -> bool:
    """Whether a hostname ends in ``.ru`` or ``.pl`` and holds digits."""
    end = host.lower().rstrip(".").rpartition(".")[2]
    return end in ("ru", "pl") and digit_format(host) != ""


def key(text: str) -> str:
    """What stands for a name in the file of names read by eye."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_by_eye(path: Path) -> dict[str, str]:
    """What a reader said of names, by :func:`key`: ``yes``, ``no`` or ``unclear``.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    with open_text(path) as stream:
        said = {row["key"]: row["small_business"] for row in csv.DictReader(stream, delimiter="\t")}
    if wrong := set(said.values()) - set(ANSWERS):
        raise InputError(f"expected {', '.join(ANSWERS)}, found {wrong.pop()!r}", str(path))
    return said


def judge(old: OldMap, read: dict[str, str]) -> dict[str, Any]:
    """The best clusters of a map by each rule.

    Args:
        old: a map of hostnames.
        read: what :func:`read_by_eye` gave.

    Returns:
        ``small_business``, ``numbers`` and ``lists``, each the best clusters, best first; and
        ``rule``, how :func:`small_business` fares on the names that were read.
    """
    texts = old.texts.texts
    members = [np.flatnonzero(old.clusters == c).tolist() for c in range(len(old.names))]
    own = np.array([national(text) for text in texts], bool)
    trade = np.array([small_business(text) for text in texts], bool)
    digits = np.array([numbered(text) for text in texts], bool)
    firms, numbers = [], []
    for c, inside in enumerate(members):
        names = [texts[i] for i in inside]
        about = {"cluster": c, "name": old.names[c], "size": len(inside)}
        shares = {"own_domain": own[inside].mean(), "trade": trade[inside].mean()}
        firms.append((np.prod(list(shares.values())), about | _rounded(shares) | _eye(names, read)))
        shares = {"numbered": digits[inside].mean()} | _format(
            [texts[i] for i in inside if digits[i]]
        )
        score = shares["numbered"] * shares["in_format"]
        numbers.append((score, about | _rounded(shares) | _ends(names)))
    return {
        "small_business": _best(firms),
        "numbers": _best(numbers),
        "lists": _lists(old, members),
        "rule": _rule(texts, trade, read),
    }


def _rounded(shares: dict[str, Any]) -> dict[str, Any]:
    return {k: v if isinstance(v, str) else round(float(v), 3) for k, v in shares.items()}


def _best(scored: list[tuple[float, dict[str, Any]]]) -> list[dict[str, Any]]:
    ordered = sorted(scored, key=lambda pair: (-pair[0], pair[1]["cluster"]))
    return [about for score, about in ordered[:BEST] if score > 0]


def _eye(names: Sequence[str], read: dict[str, str]) -> dict[str, Any]:
    """What was read of a cluster's names, and the shares: of all read, and of those decided."""
    said = Counter(read[k] for k in map(key, names) if k in read)
    total, decided = said.total(), said["yes"] + said["no"]
    return {"read": {answer: said[answer] for answer in ANSWERS}} | {
        "yes_of_read": round(said["yes"] / total, 3) if total else None,
        "yes_of_decided": round(said["yes"] / decided, 3) if decided else None,
    }


def _format(names: Sequence[str]) -> dict[str, Any]:
    if not names:
        return {"format": "", "in_format": 0.0}
    shape, count = Counter(map(digit_format, names)).most_common(1)[0]
    return {"format": shape, "in_format": count / len(names)}


def _ends(names: Sequence[str]) -> dict[str, Any]:
    ends = Counter(name.lower().rstrip(".").rpartition(".")[2] for name in names)
    return {"ru": ends["ru"], "pl": ends["pl"]}


def _lists(old: OldMap, members: list[list[int]]) -> list[dict[str, Any]]:
    """For every list the largest cluster of which it gives nine in ten names."""
    sources = old.texts.columns.get("source")
    found: dict[str, dict[str, Any]] = {}
    for c, inside in enumerate(members if sources else []):
        source, count = Counter(str(sources[i]) for i in inside if sources).most_common(1)[0]
        if count >= 0.9 * len(inside) and source not in found:  # clusters come largest first
            share = round(count / len(inside), 3)
            found[source] = {
                "list": source, "cluster": c, "name": old.names[c],
                "size": len(inside), "share": share,
            }  # fmt: skip
    return [found[source] for source in sorted(found)]


def _rule(texts: Sequence[str], accepted: np.ndarray, read: dict[str, str]) -> dict[str, Any]:
    """Of the names read by eye that a reader could tell, how the trade rule fares."""
    pairs = [(a, read[k]) for a, k in zip(accepted.tolist(), map(key, texts), strict=True)
             if read.get(k, "unclear") != "unclear"]  # fmt: skip
    yes = [a for a, said in pairs if said == "yes"]
    no = [a for a, said in pairs if said == "no"]
    right, wrong = sum(yes), sum(no)
    return {
        "decided": len(pairs),
        "precision": round(right / (right + wrong), 3) if right + wrong else None,
        "sensitivity": round(right / len(yes), 3) if yes else None,
        "false_alarms": round(wrong / len(no), 3) if no else None,
    }


def markdown(result: dict[str, Any]) -> str:
    """The findings as Markdown tables."""
    lines = []
    for title, rows in (
        ("Small businesses", result["small_business"]),
        ("Russian and Polish numbers", result["numbers"]),
        ("Clusters of one list", result["lists"]),
    ):
        lines += [f"## {title}", ""]
        if rows:
            lines += ["| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|"]
        lines += ["| " + " | ".join(map(_cell, row.values())) + " |" for row in rows] + [""]
    return "\n".join(lines)


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{v} {k}" for k, v in value.items())
    return visible(str(value)).replace("|", "\\|").replace("<", "&lt;")


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="What the clusters of a map are.")
    parser.add_argument("map", type=Path, help="Parquet that 'unmist map' wrote")
    parser.add_argument("--read", type=Path, help="TSV: key, small_business (yes, no, unclear)")
    parser.add_argument("--sheet", type=Path, help="write names of the best clusters to be read")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--figures", type=Path, help="folder for zooms of the two findings")
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    old = read_map(args.map)
    result = judge(old, read_by_eye(args.read) if args.read else {})
    about = {"points": len(old.texts.texts), "clusters": len(old.names), "bar": BAR}
    text = json.dumps({**about, "model": old.about["model_hash"], **result}, indent=1) + "\n"
    for path, content in ((args.output, text), (args.markdown, markdown(result))):
        if path is not None:
            _write(path, content)
    if args.sheet is not None:
        _write(args.sheet, _sheet(old, [row["cluster"] for row in result["small_business"]]))
    if args.figures is not None:
        args.figures.mkdir(parents=True, exist_ok=True)
        for name, rows in (("small-business", "small_business"), ("numbers", "numbers")):
            if result[rows]:
                write_zoom(args.figures / f"{name}.png", old, result[rows][0]["cluster"])
    print(text, end="")


def _sheet(old: OldMap, clusters: Sequence[int], most: int = 100) -> str:
    """Names to be read by eye, the same ones each time: the lowest hashes of each cluster."""
    lines = ["key\tsmall_business\tcluster\ttext"]
    for c in clusters:
        names = [old.texts.texts[i] for i in np.flatnonzero(old.clusters == c)]
        for text in sorted(names, key=key)[:most]:
            lines.append(f"{key(text)}\t\t{c}\t{visible(text)}")
    return "\n".join(lines) + "\n"


def _write(path: Path, content: str) -> None:
    with AtomicFile(path) as file:
        file.write(content.encode("utf-8", "backslashreplace"))


if __name__ == "__main__":
    main()
