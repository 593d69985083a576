"""What is found, and in which order."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmist.errors import UsageError
from unmist.search import Filter, Index, near
from unmist.search.index import _top


def texts(index: Index, hits: list) -> list[str]:
    return [index.records([hit.rows[0]])[0]["text"] for hit in hits]


def test_the_nearest_come_first_and_equal_names_are_one_hit(index, toy) -> None:
    (query,) = toy.embed(["shop.example.com"])
    hits = index.nearest(query, 3)
    assert texts(index, hits)[:2] == ["shop.example.com", "shop.example.net"]
    assert hits[0].distance == pytest.approx(0, abs=1e-3)
    assert hits[0].rows.tolist() == [0, 1]  # www. is no other name
    assert [h.distance for h in hits] == sorted(h.distance for h in hits)
    assert len(index.nearest(query, 100)) == 4


def test_a_row_keeps_all_that_its_input_said(index) -> None:
    (row,) = index.records([3])
    assert row["text"] == "shop.example.net"
    assert (row["line"], row["rank"], row["kind"], row["host"]) == (5, "4", "", row["text"])
    assert row["time"] == datetime(2026, 1, 4, tzinfo=UTC)
    assert (row["host_kind_label"], row["host_kind_score"]) == ("shop", 0.75)
    assert row["source"].endswith("rows.csv")
    assert row["time_"] == "1767484800"


@pytest.mark.parametrize(
    ("wanted", "rows"),
    [
        (Filter(labels=("shop",)), [0, 1, 3]),
        (Filter(sources=("*rows.csv",)), [0, 1, 2, 3, 4]),
        (Filter(sources=("no",)), []),
        (Filter(since=datetime(2026, 1, 2, tzinfo=UTC)), [1, 2, 3]),
        (Filter(until=datetime(2026, 1, 2, tzinfo=UTC)), [0]),
        (Filter(where=(("kind", "a"),)), [0, 2]),
        (Filter(where=(("kind", "a"), ("kind", "b"))), [0, 1, 2, 4]),
        (Filter(where=(("kind", "a"), ("rank", "3"))), [2]),
        (Filter(where=(("line", "2"),)), [0]),
        (Filter(labels=("shop",), where=(("kind", "b"),)), [1]),
    ],
)
def test_filters(index, toy, wanted, rows) -> None:
    found = [hit.rows.tolist() for hit in index.nearest(toy.embed(["shop"])[0], 10, wanted)]
    assert sorted(row for part in found for row in part) == rows


def test_filters_that_cannot_be(index, toy) -> None:
    (query,) = toy.embed(["shop"])
    with pytest.raises(UsageError, match="no column 'astrology'"):
        index.nearest(query, 1, Filter(where=(("astrology", "x"),)))
    with pytest.raises(UsageError, match="holds int64"):
        index.nearest(query, 1, Filter(where=(("line", "x"),)))


def test_an_index_without_labels_says_so(tmp_path, toy, rows_csv, make) -> None:
    make(tmp_path / "i", toy, rows_csv, column="host")
    with pytest.raises(UsageError, match="index with --task"):
        Index(tmp_path / "i").nearest(toy.embed(["x"])[0], 1, Filter(labels=("shop",)))


def test_like_leaves_out_what_is_known_and_ranks_by_mean_and_best(index, toy) -> None:
    examples = ["shop.example.com", "mail.other.net"]
    found = index.like(toy.embed(examples), 10, known=["WWW.shop.example.com."])
    names = texts(index, found)
    assert "shop.example.com" not in names
    assert set(names) == {"shop.example.net", "mail.other.org", "login.bank.test"}
    vectors = {n: v for n, v in zip(names, toy.embed(names), strict=True)}
    for one, name in zip(found, names, strict=True):
        cosines = toy.embed(examples) @ vectors[name]
        assert one.best == pytest.approx(cosines.max(), abs=2e-3)
        assert one.mean == pytest.approx(cosines.mean(), abs=2e-3)
        assert one.score == pytest.approx((one.best + one.mean) / 2, abs=1e-6)
    assert [f.score for f in found] == sorted((f.score for f in found), reverse=True)
    with pytest.raises(UsageError, match="no examples"):
        index.like(np.empty((0, toy.dim), np.float32))


def test_every_text_is_found_by_its_key(tmp_path, toy, make) -> None:
    path = tmp_path / "x.txt"
    path.write_text("".join(f"n{i}.example\n" for i in range(200)))
    make(tmp_path / "i", toy, path)
    index = Index(tmp_path / "i")
    known = [f"N{i}.example." for i in range(0, 200, 2)]
    left = texts(index, index.like(toy.embed(["n1.example"]), 500, known=known))
    assert sorted(left) == sorted(f"n{i}.example" for i in range(1, 200, 2))


def test_another_model_is_refused(index, toy) -> None:
    index.require_model(toy)
    toy.hash = "cd" * 32
    with pytest.raises(UsageError, match="made with model abababababab, this one is cdcdcdcdcdcd"):
        index.require_model(toy)


@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(1, 50))
def test_the_top_is_the_head_of_the_sorted_list(values: list[int], k: int) -> None:
    scores = np.array(values, np.float32)
    best, numbers = _top(scores, np.arange(len(scores)), k)
    expected = sorted(range(len(values)), key=lambda i: (-values[i], i))[:k]
    assert numbers.tolist() == expected
    assert best.tolist() == [values[i] for i in expected]


@pytest.fixture
def many(tmp_path: Path, toy, make) -> Path:
    """3,000 names, of which every tenth is of another source."""
    paths = []
    for name, chosen in (("a", lambda i: i % 10), ("b", lambda i: not i % 10)):
        paths.append(tmp_path / f"{name}.txt")
        lines = [f"n{i * 7919}.host{i % 50}.example" for i in range(3000) if chosen(i)]
        paths[-1].write_text("\n".join(lines) + "\n")
    return paths


@pytest.mark.skipif(not near.available(), reason="needs faiss: pip install 'unmist[search]'")
def test_approximate_finds_nearly_what_exact_does(tmp_path, toy, make, many, monkeypatch) -> None:
    make(tmp_path / "exact", toy, *many)
    monkeypatch.setattr(near, "EXACT", 1000)
    monkeypatch.setattr(near, "_PROBED", 2)
    make(tmp_path / "near", toy, *many)
    exact, approximate = Index(tmp_path / "exact"), Index(tmp_path / "near")
    assert approximate.manifest.names("near") == ["near-0001.faiss"]
    assert not exact.manifest.names("near")
    queries = toy.embed([f"n{i}.host{i}.example" for i in range(20)])
    for wanted in (Filter(), Filter(sources=("*a.txt",)), Filter(sources=("*b.txt",))):
        right = same = 0
        for query in queries:
            truth = {hit.vector for hit in exact.nearest(query, 10, wanted)}
            hits = approximate.nearest(query, 10, wanted)
            assert len(hits) == 10
            right += len(truth & {hit.vector for hit in hits})
            same += len(truth)
        assert right > 0.8 * same
    # A filter that leaves few rows makes the answer exact again.
    one = Filter(where=(("text", "n0.host0.example"),))
    assert len(approximate.nearest(queries[0], 10, one)) == 1
    # So does asking for more than the lists looked into hold.
    assert len(approximate.nearest(queries[0], 5000)) == 3000


@pytest.mark.skipif(not near.available(), reason="needs faiss: pip install 'unmist[search]'")
def test_adding_extends_the_approximate_index(tmp_path, toy, make, many, monkeypatch) -> None:
    monkeypatch.setattr(near, "EXACT", 1000)
    make(tmp_path / "i", toy, many[0])
    make(tmp_path / "i", toy, many[1], add=True)
    grown = Index(tmp_path / "i")
    assert grown.manifest.names("near") == ["near-0002.faiss"]
    assert (grown.manifest.trained, grown.manifest.vectors) == (2700, 3000)
    assert not (tmp_path / "i" / "near-0001.faiss").exists()
    (query,) = toy.embed(["n0.host0.example"])
    assert texts(grown, grown.nearest(query, 1)) == ["n0.host0.example"]


def test_without_the_library_the_answer_is_exact(tmp_path, toy, make, many, monkeypatch) -> None:
    monkeypatch.setattr(near, "EXACT", 1000)
    monkeypatch.setattr(near, "available", lambda: False)
    make(tmp_path / "i", toy, *many)
    index = Index(tmp_path / "i")
    (query,) = toy.embed(["n7919.host1.example"])
    assert texts(index, index.nearest(query, 1)) == ["n7919.host1.example"]
