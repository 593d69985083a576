"""The figures are those of the literature."""

import numpy as np
import pytest

pytest.importorskip("scipy")
sklearn_manifold = pytest.importorskip("sklearn.manifold")

from unmist.map import quality  # noqa: E402


@pytest.fixture
def vectors():
    return np.random.default_rng(3).normal(size=(200, 12)).astype(np.float32)


def test_trustworthiness_is_that_of_scikit_learn(vectors):
    xy = vectors[:, :2]
    expected = sklearn_manifold.trustworthiness(vectors, xy, n_neighbors=15)
    assert quality.measure(vectors, xy, seed=0)["trustworthiness"] == pytest.approx(
        expected, abs=1e-4
    )


def test_the_plane_itself_is_perfect(vectors):
    plane = vectors[:, :2]
    figures = quality.measure(plane, plane, seed=0)
    assert figures["trustworthiness"] == pytest.approx(1)
    assert figures["knn_preservation"] == pytest.approx(1)
    assert figures["triplet_accuracy"] == pytest.approx(1)


def test_a_random_map_is_as_good_as_chance(vectors):
    figures = quality.measure(vectors, np.random.default_rng(4).normal(size=(200, 2)), seed=0)
    assert figures["triplet_accuracy"] == pytest.approx(0.5, abs=0.05)
    assert figures["knn_preservation"] < 0.2


def test_anchors_estimate_the_whole(vectors, monkeypatch):
    whole = quality.measure(vectors, vectors[:, :2], seed=0)["trustworthiness"]
    monkeypatch.setattr(quality, "ANCHORS", 100)
    part = quality.measure(vectors, vectors[:, :2], seed=0)
    assert part["anchors"] == 100
    assert part["trustworthiness"] == pytest.approx(whole, abs=0.05)
