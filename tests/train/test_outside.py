"""A specialist tells rows that bear none of its labels from those that do."""

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import zstandard

import unmist
from unmist.artifact import layout, manifest
from unmist.errors import ModelError, UsageError
from unmist.evaluate import evaluate_task
from unmist.labelled.task import ask
from unmist.train import corpus, fitting, outside
from unmist.train.adapter import train_task
from unmist.train.calibrated import calibrated
from unmist.train.holdout import kin
from unmist.train.specialist import Recipe, Rows

TASK = "host-category"
HEAD = "text\tlabel\tgroup\tsource\n"
THINGS = ("shoes", "garden", "bakery", "plumber", "hotel", "bikes", "florist", "carpets")
PLACES = ("hill", "east", "maple", "sunny", "grand", "old", "little", "corner", "park", "village")
ENDS = ("com", "net", "de", "info", "shop", "co.uk")
SEED = 1


def write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zstandard.compress("".join(f"{line}\n" for line in lines).encode()))


@pytest.fixture(scope="module")
def data(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' data folder, with popular names, and a task of more labels beside it."""
    folder = tmp_path_factory.mktemp("open") / "data"
    shutil.copytree(data_folder, folder)
    names = [f"{a}{b}.{end}" for a, b, end in itertools.product(PLACES, THINGS, ENDS)]
    below = [f"www2.{name}" for name in names[::2]]
    taken = corpus.split(data_folder, TASK, "test")[0].group
    write(folder / "pretrain/hostname/tranco.txt.zst", [*names[::3], taken])
    write(folder / "pretrain/hostname/crux.txt.zst", [*below, *names[1::3]])
    for place, split in enumerate(outside.SPLITS):
        some = [f"game{place}{i}.com" for i in range(30)]
        rows = [f"{name}\tgames\t{name}\tx" for name in some]
        rows += [f"news{place}{i}.com\tnews\tnews{place}{i}.com\tx" for i in range(5)]
        write(folder / f"tasks/host-category-12/{split}.tsv.zst", [HEAD.rstrip("\n"), *rows])
    (folder / "tasks/host-category-12/task.toml").write_text('field = "hostname"\n')
    return folder


def test_rows_bear_none_of_the_labels(data: Path) -> None:
    rows = outside.rows(data, TASK, SEED, most=400)
    assert {row.label for part in rows.values() for row in part} == {corpus.OUTSIDE}
    sources = {row.source for row in rows["train"]}
    assert sources == {"popular", "host-category-12 games"}
    groups = {name: {row.group for row in part} for name, part in rows.items()}
    assert all(groups.values())
    for one, other in itertools.combinations(outside.SPLITS, 2):
        assert not groups[one] & groups[other]
    of_task = {row.group for name in outside.SPLITS for row in corpus.split(data, TASK, name)}
    assert not of_task & set().union(*groups.values())
    for part in rows.values():
        popular = [row for row in part if row.source == "popular"]
        assert [row.group for row in popular] == kin([row.text for row in popular], "hostname")
    assert len(rows["train"]) <= 400
    assert len(rows["dev"]) <= 40
    assert rows == outside.rows(data, TASK, SEED, most=400)


def test_popular_names_that_seem_to_bear_a_label_are_left_out() -> None:
    known = [corpus.Example(f"casino{i}.com", "gambling", f"casino{i}.com") for i in range(60)]
    known += [corpus.Example(f"college{i}.org", "education", f"college{i}.org") for i in range(60)]
    shops = [corpus.Example(f"shoes{i}.net", "", f"shoes{i}.net") for i in range(60)]
    bank = corpus.Example("casino-royal.com", "", "casino-royal.com")
    assert outside.without_members([*shops, bank], known) == shops


def test_a_task_without_such_rows(data: Path) -> None:
    with pytest.raises(UsageError, match="leave out --outside"):
        outside.rows(data, "web-attack", SEED)


@pytest.fixture(scope="module")
def trained(
    data: Path,
    tiny_model_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
    ticking: Callable[[], SimpleNamespace],
) -> Path:
    folder = tmp_path_factory.mktemp("outside") / "model"
    shutil.copytree(tiny_model_folder, folder)
    recipe = Recipe(minutes=5, lr=1e-2, precision=0.9, outside=True, wide_bits=12)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "time", ticking())
        train_task(folder, data, TASK, recipe)
    manifest.write(folder, "unmist-tiny", "0.0.1")
    return folder


def card_of(folder: Path) -> dict[str, object]:
    card: dict[str, object] = json.loads(
        (layout.adapter_folder(folder, TASK) / layout.TASK).read_text()
    )
    return card


def test_what_bears_none_of_the_labels_is_unfamiliar(trained: Path, data: Path) -> None:
    model = unmist.load(trained, threads=1)
    card = model.card(TASK)
    assert (card.format, card.outputs, card.labels) == (2, 4, ["education", "gambling", "news"])
    apart = [row.text for row in outside.rows(data, TASK, SEED)["test"]]
    reasons = [verdict.reason for verdict in model.classify(apart, task=TASK)]
    assert reasons.count("unfamiliar") > 0.8 * len(apart)
    known = [row.text for row in corpus.split(data, TASK, "test")]
    reasons = [verdict.reason for verdict in model.classify(known, task=TASK)]
    assert reasons.count("unfamiliar") < 0.2 * len(known)
    odds = model.probabilities([*known[:3], *apart[:3]], TASK)
    assert odds.shape == (6, 3)
    np.testing.assert_allclose(odds.sum(1), 1, atol=1e-5)
    assert model.explain(known[0], task=TASK).spans


def test_the_card_says_what_users_get(trained: Path, data: Path) -> None:
    """What the card says was computed in torch; what users get is computed by the engine."""
    model = unmist.load(trained, threads=1)
    scores = model.card(TASK).scores["test"]
    test = evaluate_task(model, TASK, data / "tasks" / TASK / "test.tsv.zst")
    apart = outside.rows(data, TASK, SEED)["test"]
    _, open_to = ask(model, TASK, apart)
    answered = [verdict.label for verdict in model.classify([e.text for e in apart], task=TASK)]
    measured = {name: test[name] for name in scores if name in test} | {
        "outside_unfamiliar": float(1 - open_to.mean()),
        "outside_answered": float(np.mean([label is not None for label in answered])),
    }
    otherwise = scores["outside_answered_otherwise"]
    assert measured == pytest.approx(
        {name: value for name, value in scores.items() if name in measured}, abs=2e-4
    )
    assert otherwise > scores["outside_answered"]
    assert "bear none of the labels" in str(card_of(trained)["data"])


def test_thresholds_count_what_bears_none_of_the_labels() -> None:
    """Fifty names of a label and fifty of none, which the labels' outputs cannot tell apart: with
    one of none for two of the label no answer is right often enough."""
    logits = np.tile([4.0, 0.0, 0.0], (100, 1))
    logits[:50, 2] = np.linspace(0, 1, 50)  # so that the output for none lets those of none pass
    labels = np.repeat([0, 2], 50)

    def threshold(rows: int) -> float:
        part = Rows([[1]] * rows, labels[:rows], groups=[str(i) for i in range(rows)])
        said = calibrated(
            {"dev": logits[:rows]}, {"dev": part}, {"dev": np.ones(rows, bool)}, ["a", "b"], 0.96
        )
        assert said["thresholds"]["b"] == 1
        return float(said["thresholds"]["a"])

    assert threshold(50) < 1
    assert threshold(100) == 1


def test_going_on_keeps_what_was_learnt(trained: Path, data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained, folder)
    recipe = Recipe(minutes=1e-6, precision=0.9, outside=True)
    own = layout.adapter_folder(trained, TASK)
    card = train_task(folder, data, TASK, recipe, go_on=own)
    assert card["scores"]["test"]["outside_unfamiliar"] > 0.5
    plain = train_task(folder, data, TASK, Recipe(minutes=1e-6, precision=0.9), go_on=own)
    assert plain["format"] == 1
    assert "outside" not in plain


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"outside": None}, r"weight is \(4, 64\), expected \(3, 64\)"),
        ({"outside": 1.5}, "not what was expected"),
        ({"format": 3}, "this unmist reads 1 and 2"),
        ({"format": 1}, "format 1 has no output"),
    ],
)
def test_a_card_that_does_not_fit_its_heads(
    trained: Path, tmp_path: Path, values: dict[str, object], message: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(trained, folder)
    path = layout.adapter_folder(folder, TASK) / layout.TASK
    path.write_text(json.dumps(card_of(trained) | values))
    manifest.write(folder, "unmist-tiny", "0.0.1")
    with pytest.raises(ModelError, match=message):
        unmist.load(folder)
