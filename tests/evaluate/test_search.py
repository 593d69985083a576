"""The benchmark of vector libraries measures what it says."""

from pathlib import Path

import numpy as np
import pytest

from unmist.errors import InputError
from unmist.evaluate import search, search_worker


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """3,000 rows, made of 2,000 vectors, and 50 queries."""
    monkeypatch.setattr(search, "QUERIES", 50)
    vectors = np.random.default_rng(0).standard_normal((2050, 96)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    np.save(tmp_path / "v.npy", vectors)
    assert search.prepare(tmp_path / "v.npy", 3000, tmp_path / "work") == 2000
    return tmp_path / "work"


def test_the_truth_is_the_truth(work: Path) -> None:
    held = np.load(work / "vectors.npy").astype(np.float32)
    np.testing.assert_allclose(np.linalg.norm(held, axis=1), 1, atol=1e-3)
    queries, truth = np.load(work / "queries.npy"), np.load(work / "truth.npy")
    expected = np.argsort(-(queries @ held.T), axis=1)[:, :10]
    assert (np.sort(truth) == np.sort(expected)).mean() > 0.99


@pytest.mark.parametrize("name", ["numpy exact f32", "numpy pca 64", "unmist"])
def test_contenders_that_need_no_library(work: Path, name: str) -> None:
    built = search_worker.build(name, work)
    assert (built["index_mb"] == 0) == (name == "numpy exact f32")
    asked = search_worker.query(name, work)
    assert asked["queries"] == 50
    assert asked["recall_at_10"] > 0.98
    assert 0 < asked["p50_ms"] <= asked["p99_ms"]


def test_no_vectors_no_benchmark(tmp_path: Path) -> None:
    (tmp_path / "x.npy").write_text("no")
    with pytest.raises(InputError, match=r"not an \.npy file"):
        search.prepare(tmp_path / "x.npy", 10, tmp_path / "work")
