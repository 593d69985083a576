"""A user's own specialist: from labelled rows to an adapter folder that opens beside the others."""

import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from unmist.artifact import layout, open_folder
from unmist.errors import InputError, ModelError, UsageError
from unmist.labelled.table import Table
from unmist.train import fitting, own
from unmist.train.specialist import Recipe

WORDS = {"play": ("poker", "slots", "dice", "bingo"), "read": ("press", "times", "herald", "post")}


def table(rows: int = 200) -> Table:
    pairs = [(word, label) for label, words in WORDS.items() for word in words]
    chosen = [pairs[i % len(pairs)] for i in range(rows)]
    return Table([f"{w}{i}.com" for i, (w, _) in enumerate(chosen)], [x for _, x in chosen])


@pytest.fixture(scope="module")
def adapter(
    tmp_path_factory: pytest.TempPathFactory,
    encoder_folder: Path,
    ticking: Callable[[], SimpleNamespace],
) -> Path:
    folder = tmp_path_factory.mktemp("own") / "pastime"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "time", ticking())
        recipe = Recipe(minutes=400 / 60, lr=1e-2, patience=8)
        own.train_own(table(), "rows.csv", "hostname", encoder_folder, folder, recipe)
    return folder


def test_it_opens_beside_the_models_own_and_changes_none_of_them(
    adapter: Path, tiny_model_folder: Path
) -> None:
    alone, both = open_folder(tiny_model_folder), open_folder(tiny_model_folder, [adapter])
    assert list(both.adapters) == ["host-category", "pastime"]
    assert alone.hash != both.hash
    with pytest.raises(ModelError, match="a second adapter for the task 'pastime'"):
        open_folder(tiny_model_folder, [adapter, adapter])
    card = both.adapters["pastime"].card
    assert card.labels == ["play", "read"]
    assert set(card.scores) == {"dev", "test", "ngram_dev", "ngram_test"}
    assert card.scores["test"]["accuracy"] > 0.8
    assert "split by registrable domain" in card.data


def test_a_changed_adapter_is_refused(
    adapter: Path, tiny_model_folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "pastime"
    shutil.copytree(adapter, copy)
    card = copy / layout.TASK
    card.write_text(card.read_text().replace("0.95", "0.05").replace("play", "plot"))
    with pytest.raises(ModelError, match=r"task\.json: differs from its manifest"):
        open_folder(tiny_model_folder, [copy])
    with pytest.raises(ModelError, match="no such folder"):
        open_folder(tiny_model_folder, [tmp_path / "missing"])


def test_it_goes_on_with_corrected_labels(
    adapter: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    more = table()
    more.texts += [f"chess{i}.com" for i in range(30)]
    more.labels += ["think"] * 30
    folder = tmp_path / "pastime2"
    recipe = Recipe(minutes=1e-6)
    how = (more, "rows.csv", "hostname", encoder_folder)
    card = own.train_own(*how, folder, recipe, go_on=adapter)
    assert card["labels"] == ["play", "read", "think"]
    assert card["scores"]["test"]["accuracy"] > 0.7  # what it knew, with no step taken
    wider = own.train_own(*how, tmp_path / "wider", Recipe(rank=6, minutes=1e-6), go_on=adapter)
    assert wider["scores"]["test"]["accuracy"] == card["scores"]["test"]["accuracy"]
    with pytest.raises(UsageError, match="rank 4; give --rank 4 or more"):
        own.train_own(*how, tmp_path / "other", Recipe(rank=2), go_on=adapter)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pastime2", "wider"]


@pytest.mark.parametrize(
    ("texts", "labels", "message"),
    [
        (["a.com", "b.com"], ["x", "x"], "one label only, 'x'"),
        (["a.com", "b.com", "c.com"], ["x", "x", "y"], "label 'y' has one row"),
        (["a.com", "b.a.com"] * 20, ["x", "y"] * 20, "40 rows in 1 groups leave 0"),
        (
            [*(f"a{i}.com" for i in range(40)), "a.b.org", "c.b.org"],
            [*(["x", "y"] * 20), "z", "z"],
            "label 'z': its 2 rows belong together",
        ),
    ],
)
def test_labels_that_cannot_be_learnt(
    texts: list[str], labels: list[str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        own.train_own(
            Table(texts, labels), "rows.csv", "hostname", tmp_path, tmp_path / "o", Recipe()
        )


def test_rows_of_no_label_are_told_apart(
    encoder_folder: Path,
    tmp_path: Path,
    ticking: Callable[[], SimpleNamespace],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fitting, "time", ticking())
    rows = table()
    rows.texts += [f"{w}{i}.net" for i in range(40) for w in ("garden", "bikes", "shoes")]
    rows.labels += ["neither"] * 120
    recipe = Recipe(minutes=400 / 60, lr=1e-2, patience=8, wide_bits=10)
    folder = tmp_path / "pastime"
    card = own.train_own(
        rows, "rows.csv", "hostname", encoder_folder, folder, recipe, none="neither"
    )
    assert card["labels"] == ["play", "read"]
    assert card["format"] == 2
    assert "'neither' bear none of the others" in card["data"]
    scores = card["scores"]["test"]
    assert scores["outside_unfamiliar"] > 0.8
    assert scores["accuracy"] > 0.8
    assert card["scores"]["ngram_test"]["accuracy"] > 0.8


@pytest.mark.parametrize(
    ("none", "message"),
    [("neither", "no row has the label 'neither' of --none"), ("read", "one label beside 'read'")],
)
def test_a_label_for_none_that_does_not_fit(none: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        own.train_own(
            table(), "rows.csv", "hostname", tmp_path, tmp_path / "o", Recipe(), none=none
        )


def test_an_output_that_is_taken(adapter: Path, encoder_folder: Path) -> None:
    with pytest.raises(UsageError, match="exists and is not empty"):
        own.train_own(table(), "rows.csv", "hostname", encoder_folder, adapter, Recipe())
    with pytest.raises(UsageError, match="no field kind 'host'"):
        own.train_own(table(), "rows.csv", "host", encoder_folder, adapter, Recipe())


def test_what_cannot_be_gone_on_from(adapter: Path, encoder_folder: Path, tmp_path: Path) -> None:
    how = (table(), "rows.csv", "hostname", encoder_folder, tmp_path / "o", Recipe())
    with pytest.raises(UsageError, match="give an adapter folder"):
        own.train_own(*how, go_on=tmp_path)
    with pytest.raises(UsageError, match="give --field hostname"):
        own.train_own(table(), "rows.csv", "url", *how[3:], go_on=adapter)
    other = tmp_path / "pastime"
    shutil.copytree(adapter, other)
    card = other / layout.TASK
    card.write_text(card.read_text().replace("play", "plot"))
    with pytest.raises(ModelError, match="differs from its manifest"):
        own.train_own(*how, go_on=other)
    model = Path(shutil.copytree(encoder_folder, tmp_path / "model"))
    (model / layout.WEIGHTS).write_bytes(b"another")
    with pytest.raises(ModelError, match="stands on another encoder"):
        own.train_own(*how[:3], model, *how[4:], go_on=adapter)
    assert not (tmp_path / "o").exists()


def test_two_rows_of_a_label_are_enough(encoder_folder: Path, tmp_path: Path) -> None:
    rows = table(60)
    rows.texts += ["chess.com", "checkers.org"]
    rows.labels += ["think"] * 2
    recipe = Recipe(minutes=1e-6)
    card = own.train_own(rows, "rows.csv", "hostname", encoder_folder, tmp_path / "p", recipe)
    assert card["labels"] == ["play", "read", "think"]
    assert card["thresholds"]["think"] == 1.0  # two rows prove nothing, so it abstains


def test_it_says_how_far_it_is_and_compares_only_when_asked(
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], SimpleNamespace],
) -> None:
    monkeypatch.setattr(fitting, "time", ticking())
    told: list[tuple[float, object]] = []
    card = own.train_own(
        table(60),
        "rows.csv",
        "hostname",
        encoder_folder,
        tmp_path / "p",
        Recipe(minutes=40 / 60),
        report=lambda spent, entry: told.append((spent, entry)),
        compare=False,
    )
    entries = [entry for _, entry in told if entry is not None]
    assert entries == card["training"]["log"]
    spent = [share for share, _ in told]
    assert spent == sorted(spent)
    assert 0 < spent[0] < spent[-1] <= 1.1
    assert not any(name.startswith("ngram") for name in card["scores"])


def test_training_stops_early_and_keeps_the_best(
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ticking: Callable[[], SimpleNamespace],
) -> None:
    monkeypatch.setattr(fitting, "time", ticking())
    recipe = Recipe(minutes=100_000, lr=3e-2, patience=2)
    rows = table(120)
    card = own.train_own(rows, "rows.csv", "hostname", encoder_folder, tmp_path / "p", recipe)
    losses = [entry["dev_loss"] for entry in card["training"]["log"]]
    assert losses.index(min(losses)) == len(losses) - 3


def test_the_budget_grows_with_the_rows() -> None:
    assert own.minutes_for(200) < 0.5
    assert own.minutes_for(10_000_000) == 10.0
