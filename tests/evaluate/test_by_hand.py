"""What n-grams make of rows written by hand."""

from pathlib import Path

import unmist
from unmist.artifact import SHIPPED, open_folder
from unmist.evaluate import by_hand

TASK = "file-sensitivity"


def test_ngrams_learn_from_what_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "tasks" / TASK
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text('field = "path"\n')
    train = [f"a{i}.png\tordinary\n" for i in range(9)] + ["x.kdbx\tsensitive\n"]
    secret = ("passwords_2019.txt", "credentials_backup.json", "keepass_private.key")
    test = [f"{name}\tordinary\n" for name in ("holiday.jpg", "main.c", "lib/index.html")]
    test += [f"{name}\tsensitive\n" for name in secret]
    for name, rows in (("train", train), ("test", test)):
        (folder / f"{name}.tsv.zst").write_text("text\tlabel\n" + "".join(rows))
    adapter = open_folder(SHIPPED).adapters[TASK]
    said = by_hand.measure(tmp_path, TASK, {"small": adapter.card}, each=2)
    assert said["rows"]["train"] == 10
    assert said["rows"]["test"] == 6
    assert said["rows"]["written"] > 300
    assert said["ngrams"]["train and written"] > said["ngrams"]["train"]
    assert said["specialists"] == {"small": adapter.card.scores["test"]["macro_f1"]}
    assert 0 <= said["near"]["written"] <= 1
    page = by_hand.markdown({"tasks": {TASK: said}, "well_known": {}})
    assert f"| {TASK} | 10 |" in page
    assert " | - |\n" in page  # there was no edge to ask


def test_well_known_names_are_asked_about() -> None:
    said = by_hand.well_known(unmist.load("edge", threads=1))
    assert said["labelled"] > 500
    assert said["none"] > 200
    assert said["answered_right"] > said["right"]  # it abstains where it does not know
    assert said["none_answered"] < 0.2
    page = by_hand.markdown({"tasks": {}, "well_known": {"edge": said}})
    assert f"| edge | {said['labelled']} | {said['right']:.1%} |" in page
