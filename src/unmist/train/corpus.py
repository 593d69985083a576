"""The data folder: ``pretrain/<field>/<source>.txt.zst`` and ``tasks/<task>/<split>.tsv.zst``."""

from collections.abc import Iterator
from pathlib import Path

from unmist.errors import InputError
from unmist.evaluate.data import Example, examples, open_text

__all__ = ["Example", "examples", "lines", "sources", "split"]


def lines(path: Path) -> Iterator[str]:
    """The items of one file, one a line. Raises InputError when it cannot be read."""
    with open_text(path) as stream:
        for line in stream:
            yield line.rstrip("\n")


def sources(data: Path, field: str) -> list[Path]:
    """The pretraining files of a field kind, in name order."""
    found = sorted((data / "pretrain" / field).glob("*.txt.zst"))
    if not found:
        raise InputError(f"no pretrain/{field}/*.txt.zst here; give the data folder", str(data))
    return found


def split(data: Path, task: str, name: str) -> list[Example]:
    """All rows of one split of a task."""
    return examples(data / "tasks" / task / f"{name}.tsv.zst")
