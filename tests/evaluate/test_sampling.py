"""Which test file belongs to which task, and the same rows for the same seed."""

from pathlib import Path

import pytest

from unmist.errors import InputError, UsageError
from unmist.evaluate.sampling import files_of, sample
from unmist.model import Model

TASK = "host-category"


def test_a_folder_or_one_file(tiny_model: Model, data_folder: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    assert files_of(data_folder, tiny_model, ()) == {TASK: path}
    assert files_of(data_folder, tiny_model, (TASK,)) == {TASK: path}
    assert files_of(path, tiny_model, (TASK,)) == {TASK: path}


def test_what_is_missing_is_named(tiny_model: Model, data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    for data, tasks, message in (
        (path, (), "name it with --task"),
        (tmp_path, (), "holds no tasks/"),
        (tmp_path, (TASK,), "no such file"),
        (data_folder, ("astrology",), "no task 'astrology'"),
    ):
        with pytest.raises(UsageError, match=message):
            files_of(data, tiny_model, tasks)


def test_the_same_rows_for_the_same_seed(data_folder: Path, tmp_path: Path) -> None:
    path = data_folder / "tasks" / TASK / "test.tsv.zst"
    assert sample(path, 20, 1) == sample(path, 20, 1) != sample(path, 20, 2)
    assert len(set(sample(path, 20, 1))) == 20
    assert len(sample(path, 10_000, 1)) == 200
    (tmp_path / "none.tsv").write_text("text\tlabel\n")
    with pytest.raises(InputError, match="no rows"):
        sample(tmp_path / "none.tsv", 20, 1)
