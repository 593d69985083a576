"""Test rows of a task, as the data folder or a user's own file holds them."""

import random
from pathlib import Path
from typing import Final

from unmist.errors import InputError, UsageError
from unmist.labelled.data import Example, examples
from unmist.model import Model

_TEST: Final = "test.tsv.zst"


def files_of(data: Path, model: Model, tasks: tuple[str, ...]) -> dict[str, Path]:
    """The labelled test file of each task.

    Args:
        data: a data folder with ``tasks/<task>/test.tsv.zst``, or, for one task, a file.
        model: knows the tasks.
        tasks: which; all of the model's that have a test file when none is named.

    Raises:
        UsageError: a file for several tasks, a task that the model or the folder lacks.
    """
    for task in tasks:
        model.card(task)
    if data.is_file():
        if len(tasks) != 1:
            raise UsageError(f"{data}: one file is the test of one task; name it with --task")
        return {tasks[0]: data}
    found = {task: data / "tasks" / task / _TEST for task in tasks or model.tasks}
    missing = [task for task, path in found.items() if not path.is_file()]
    if tasks and missing:
        raise UsageError(f"{found[missing[0]]}: no such file; give the data folder, or a file")
    present = {task: path for task, path in found.items() if task not in missing}
    if not present:
        raise UsageError(f"{data}: holds no tasks/<task>/{_TEST} of this model's tasks")
    return present


def sample(path: Path, rows: int, seed: int) -> list[Example]:
    """At most ``rows`` rows of a labelled file, the same ones for the same seed.

    Raises:
        InputError: the file cannot be read or has no rows.
    """
    known = examples(path)
    if not known:
        raise InputError("no rows; expected columns text and label", str(path))
    return random.Random(seed).sample(known, min(rows, len(known)))
