"""Rows written by hand: filled, told apart from what is measured with, and fit for their tasks."""

from pathlib import Path

import pytest

from unmist.artifact import SHIPPED, open_folder
from unmist.errors import UsageError
from unmist.train import corpus, written
from unmist.train.corpus import Example

SAID = {
    "slots": {"vendor": ["Aficio", "Phaser ⟨n⟩"], "round": ["⟨round⟩"]},
    "rows": [
        {"label": "Printer", "texts": ["⟨vendor⟩ ready", "plain"]},
        {"label": "Router", "texts": [r"C:\Users\⟨user⟩ {x} ⟨d⟩⟨hex⟩ ⟨ip⟩ ⟨word⟩ ⟨host⟩ ⟨s⟩"]},
    ],
}


def test_templates_are_filled() -> None:
    rows = written.expanded(SAID, seed=1, each=20)
    texts = [row.text for row in rows]
    assert len(texts) == len(set(texts))
    assert texts.count("plain") == 1
    assert {"Aficio ready", "plain"} < set(texts)
    assert any(text.startswith("Phaser ") and text[7].isdigit() for text in texts)
    assert not any("⟨" in text or "⟩" in text for text in texts)
    assert sum(r"C:\Users" in text and "{x}" in text for text in texts) == 20
    assert {row.label for row in rows} == {"Printer", "Router"}
    assert len({row.group for row in rows}) == 3  # one for each template
    assert rows == written.expanded(SAID, seed=1, each=20)
    assert rows != written.expanded(SAID, seed=2, each=20)


@pytest.mark.parametrize("template", ["⟨round⟩", "⟨nothing⟩"])
def test_a_slot_that_cannot_be_filled(template: str) -> None:
    block = {"label": "Printer", "texts": [template]}
    with pytest.raises(UsageError, match=r"circle|no such slot"):
        written.expanded({**SAID, "rows": [block]}, seed=1, each=1)


def test_nothing_is_written_for_a_task() -> None:
    with pytest.raises(UsageError, match="leave out --written"):
        written.rows("host-nothing", seed=1, each=1)


def test_names_go_by_their_domain(data_folder: Path) -> None:
    names = [f"www.name{i}.co.uk" for i in range(400)]
    kept = written.apart([Example(n, "news", "g") for n in names], data_folder, "host-category")
    gone = set(names) - {row.text for row in kept}
    assert gone == {name for name in names if written.held_out(name.removeprefix("www."))}
    assert 40 < len(gone) < 120  # a fifth


_HELD = (
    ("a", "header", "Held Out 17"),
    ("b", "path", "/etc/secret.key"),
    ("c", "cloud", "kms:PutKeyPolicy"),
)


def test_held_out_rows_are_left_out(tmp_path: Path, data_folder: Path) -> None:
    for task, field, text in _HELD:
        folder = tmp_path / "tasks" / task
        folder.mkdir(parents=True)
        (folder / "task.toml").write_text(f'field = "{field}"\n')
        (folder / "train.tsv.zst").write_text("text\tlabel\nof train 1\tx\na:GetKey\tx\n")
        (folder / "test.tsv.zst").write_text(f"text\tlabel\n{text}\tx\nb:GetKey\tx\n")
    banners = [Example(t, "x", "g") for t in ("held  out 18", "of train 2", "held out")]
    assert [r.text for r in written.apart(banners, tmp_path, "a")] == ["of train 2", "held out"]
    paths = [Example(t, "x", "g") for t in (r"C:\SECRET.key", "/etc/secret.key.pub")]
    assert [r.text for r in written.apart(paths, tmp_path, "b")] == ["/etc/secret.key.pub"]
    actions = [Example(t, "x", "g") for t in ("s3:putKeyPolicy", "s3:GetKey", "s3:PutKey")]
    assert [r.text for r in written.apart(actions, tmp_path, "c")] == ["s3:GetKey", "s3:PutKey"]


def test_what_is_written_otherwise_is_dropped() -> None:
    rows = [Example("bbc.co.uk", "government", "g"), Example("irs.gov", "government", "g")]
    made = [Example("bbc.co.uk", "news", "w"), Example("irs.gov", "government", "w")]
    assert written.corrected(rows, made) == rows[1:]


@pytest.mark.parametrize("task", written.tasks())
def test_what_is_written_fits_its_task(task: str) -> None:
    card = open_folder(SHIPPED).adapters[task].card
    rows = written.rows(task, seed=1, each=2)
    labels = {row.label for row in rows} - {corpus.OUTSIDE}
    assert labels == set(card.labels)
    said: dict[str, str] = {}
    for row in rows:
        assert row.text.strip()
        assert said.setdefault(row.text, row.label) == row.label
