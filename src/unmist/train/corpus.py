"""The data folder: ``pretrain/<field>/<source>.txt.zst`` and ``tasks/<task>/<split>.tsv.zst``."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from unmist.errors import InputError
from unmist.labelled.data import Example, examples, open_text
from unmist.text import normalize

__all__ = ["OUTSIDE", "Example", "examples", "lines", "sources", "split"]

# The label of rows that bear none of a task's, while they are learnt; no task can have it, since
# labels are not empty.
OUTSIDE: Final = ""


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


def held_out_files(data: Path, field: str) -> list[Path]:
    """Every file of a field kind's tasks that is no training split, in name order."""
    return [
        path
        for path in sorted((data / "tasks").glob("*/*.tsv.zst"))
        if path.name != "train.tsv.zst" and field_of(data, path.parent.name) == field
    ]


def withheld(data: Path, field: str) -> set[str | bytes]:
    """Normalised texts of every task file of a field kind that is not a training split.

    Tasks are split by different rules (domain, time), so a test row of one may stand in another's
    training split; such a row must not be learnt from under any question.
    """
    texts: set[str | bytes] = set()
    for path in held_out_files(data, field):
        texts.update(normalize(example.text, field) for example in examples(path))
    return texts


def held_out_groups(data: Path, task: str) -> set[str]:
    """Groups of all rows of a task that are not of its training split."""
    files = (data / "tasks" / task).glob("*.tsv.zst")
    return {row.group for path in files if path.name != "train.tsv.zst" for row in examples(path)}


def about(data: Path, task: str) -> dict[str, Any]:
    """A task's ``task.toml``: title, field, labels, split rule, licence, known noise, floor."""
    path = data / "tasks" / task / "task.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", str(path)) from error
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"not TOML ({error})", str(path)) from error


_FIELD_OF_DATA: Final = {"payload": "http"}  # payloads stand bare or in a query, as http's do


def field_of(data: Path, task: str) -> str:
    """The field kind of a task."""
    field = str(about(data, task)["field"])
    return _FIELD_OF_DATA.get(field, field)
