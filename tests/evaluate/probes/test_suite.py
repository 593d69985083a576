"""The whole suite on a tiny model: rows, cache, figures and page."""

import copy
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard
from click.testing import CliRunner

from unmist.cli import main
from unmist.errors import InputError, UsageError
from unmist.evaluate.probes import Cached, Limits, Ours, Peer, encoders, retrieval, run, with_kept
from unmist.evaluate.probes.country import country_rows
from unmist.evaluate.probes.rows import task_rows
from unmist.model import Model

COUNTRIES = {"de": ("haus", "berg", "stein", "wald"), "fr": ("maison", "ville", "fleur", "bois")}


@pytest.fixture(scope="module")
def data(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The common data folder, with owners and with more names of two countries."""
    folder = Path(shutil.copytree(data_folder, tmp_path_factory.mktemp("probes") / "data"))
    lines = ["owner\thost\tsplit"]
    lines += [f"o{i}\t{w}{i}.{e}\ttest" for i in range(8) for w, e in (("a", "com"), ("b", "net"))]
    pairs = folder / "pretrain/hostname/pairs/made-up.tsv.zst"
    pairs.parent.mkdir()
    pairs.write_bytes(zstandard.compress(("\n".join(lines) + "\n").encode()))
    for split in ("train", "dev", "test"):
        path = folder / f"tasks/host-category/{split}.tsv.zst"
        rows = zstandard.decompress(path.read_bytes()).decode()
        for end, words in COUNTRIES.items():
            for i in range(40):
                name = f"{words[i % 4]}-{split}{i}.{end}"
                rows += f"{name}\tnews\t{name}\tmade up\n"
        path.write_bytes(zstandard.compress(rows.encode()))
    return folder


def test_a_small_sample_begins_a_large_one(data: Path) -> None:
    small = task_rows(data, "host-category", Limits(train=10, dev=5, test=5))
    large = task_rows(data, "host-category", Limits(train=50, dev=20, test=20))
    assert large.splits["train"][:10] == small.splits["train"]
    assert [len(small.splits[s]) for s in ("train", "dev", "test")] == [10, 5, 5]


def test_countries_have_no_suffix_and_no_domain_on_two_sides(data: Path) -> None:
    rows = country_rows(data, Limits(train=60, dev=20, test=20))
    assert {row.label for row in rows.splits["train"]} == {"br", "de", "fr", "uk"}
    every = [row for part in rows.splits.values() for row in part]
    assert not any(row.text.endswith(f".{row.label}") for row in every)
    sides = [row for part in rows.splits.values() for row in {row.group for row in part}]
    assert len(sides) == len(set(sides))


def test_ranks_and_ties() -> None:
    hosts = retrieval.Hosts(["a", "b", "c", "d"], np.array([0, 0, 1, 1]), np.array([0, 1, 2, 2]))
    vectors = np.eye(2, dtype=np.float32)[[0, 0, 1, 1]]
    result = retrieval.measure(hosts, vectors)
    assert result["mrr"]["value"] == 1
    assert result["mrr_other_domains"] == {"value": 1, "interval": [1, 1], "hosts": 2}
    same = np.tile(np.float32([1, 0]), (4, 1))  # all alike: the owner's host is found last
    assert retrieval.measure(hosts, same)["mrr"]["value"] == pytest.approx(1 / 3, abs=1e-4)


class Counting:
    """Letter counts, and how many rows were asked for."""

    name, hash, parameters = "letters", "0" * 64, 0

    def __init__(self) -> None:
        self.rows = 0

    def vectors(self, texts: Sequence[str], field: str) -> np.ndarray:
        self.rows += len(texts)
        out = np.array([[t.count(c) + 0.1 for c in "abcdefghijklmno"] for t in texts], np.float32)
        return out / np.linalg.norm(out, axis=1, keepdims=True)


def test_kept_vectors_are_not_computed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoders, "CHUNK", 4)
    first, again = Counting(), Counting()
    texts = [f"name-{i}" for i in range(10)]
    vectors = Cached(first, tmp_path).vectors(texts[:8], "hostname")
    assert first.rows == 8
    cached = Cached(again, tmp_path)
    assert (cached.vectors(texts, "hostname")[:8] == vectors).all()
    assert again.rows == 2
    cached.vectors(texts[:8], "url")
    assert again.rows == 10  # another field is another question


def test_the_suite(data: Path, tiny_model: Model, tmp_path: Path) -> None:
    limits = Limits(train=120, dev=60, test=80, retrieval=16, country=60, forms=4)
    models = [Cached(Ours(tiny_model, "tiny"), tmp_path), Cached(Counting(), tmp_path)]
    result = run(data, models, limits, say=lambda _: None)
    task = result["tasks"]["host-category"]
    assert task["rows"] == {"train": 120, "dev": 60, "test": 80}
    for scores in (*task["linear"].values(), *task["nearest"].values()):
        low, high = scores["macro_f1_interval"]
        assert 0 <= low <= scores["macro_f1"] <= high <= 1
    assert task["linear"]["n-grams"]["macro_f1"] > 0.5
    assert set(result["difference"]) == {"letters", "n-grams"}
    assert result["retrieval"]["n-grams"]["mrr"]["hosts"] == 16
    assert json.loads(json.dumps(result)) == result


def test_the_verb(data: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    arguments = ["--train-rows", 60, "--dev-rows", 30, "--test-rows", 40, "--hosts", 8]
    arguments += ["--pairs", 2, "--model", tiny_model_folder, "-o", tmp_path, "--threads", 1]
    also = ["--also", f"again={tiny_model_folder}"]
    done = CliRunner().invoke(
        main, ["evaluate", "probes", "--data", str(data), *map(str, arguments), *also]
    )
    assert done.exit_code == 0, done.output
    result = json.loads((tmp_path / "probes.json").read_text())
    assert list(result["models"]) == ["unmist-tiny", "again"]
    page = (tmp_path / "probes.md").read_text()
    assert "| **mean of tasks** |" in page
    assert "## Discrimination" in page

    alone = ["evaluate", "probes", "--data", str(data), *map(str, arguments)]
    kept = CliRunner().invoke(main, [*alone, "--keep", str(tmp_path / "probes.json")])
    assert kept.exit_code == 0, kept.output
    beside = json.loads((tmp_path / "probes.json").read_text())
    assert beside.pop("difference").keys() == result.pop("difference").keys() - {"again"}
    assert beside == result
    assert (tmp_path / "probes.md").read_text().count("again") == page.count("again") - 1
    other = CliRunner().invoke(main, [*alone, "--seed", "2", "--keep", tmp_path / "probes.json"])
    assert other.exit_code == 2
    assert "give the same numbers of rows" in other.output


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"rows": {}}'])
def test_what_is_kept_is_no_result(data: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "probes.json").write_text(text)
    asked = ["--keep", str(tmp_path / "probes.json"), "-o", str(tmp_path)]
    done = CliRunner().invoke(main, ["evaluate", "probes", "--data", str(data), *asked])
    assert done.exit_code == 2
    assert "earlier run" in done.output


def test_other_rows_under_the_same_numbers_are_found_out() -> None:
    scores = {"linear": {"n-grams": {"macro_f1": 0.5}}, "nearest": {}}
    one: dict[str, Any] = {"rows": {"seed": 1}, "tasks": {"a": scores}, "models": {}}
    other = copy.deepcopy(one)
    other["tasks"]["a"]["linear"]["n-grams"]["macro_f1"] = 0.6
    with pytest.raises(UsageError, match="its rows were others"):
        with_kept(one, other, "x.json")


def test_a_peer_that_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"get_peers\.py"):
        Peer("minilm", tmp_path)


def test_no_data(tmp_path: Path, tiny_model: Model) -> None:
    with pytest.raises(InputError, match="give the data folder"):
        run(tmp_path, [Cached(Ours(tiny_model, "tiny"), None)], Limits())
