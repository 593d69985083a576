"""A planted batch is seen as new, and only it."""

import numpy as np
import pytest

pytest.importorskip("openTSNE", reason="needs unmist[map]")

from unmist.errors import UsageError
from unmist.evaluate.planted import compare, shown
from unmist.map import MapPoints, Settings
from unmist.map.points import Texts


def points(clusters, new):
    n = len(clusters)
    texts = Texts([f"t{i}" for i in range(n)], ["s"] * n, [1] * n, [1] * n, {})
    return MapPoints(
        texts, np.zeros((n, 2), np.float32), np.array(clusters, np.int32), ["a", "b"],
        np.zeros((n, 1), np.int32), {}, np.zeros(n, bool), np.array(new, bool),
    )  # fmt: skip


def test_shares():
    made = points([0, 0, 0, 1, 1, -1], [False, False, False, True, True, True])
    result = shown(made, {"t3", "t5"})
    assert (result["in_new_clusters"], result["purity"], result["names"]) == (0.5, 0.5, ["b"])
    assert shown(points([0, 0], [False, False]), {"t1"})["purity"] is None


class Model:
    """Vectors of two groups: a text's last label says which."""

    hash = "ab" * 32
    tasks = ()

    def __init__(self):
        self.tokenizer = self

    def encode_batch(self, texts):
        return [[0] for _ in texts]

    def piece(self, _):
        return b""

    def embed(self, texts, field="hostname"):
        random = np.random.default_rng(0)
        centres = {"de": 0, "ru": 5, "evil": 12}
        rows = [np.full(8, centres[t.rpartition(".")[2]]) + random.normal(size=8) for t in texts]
        return np.array(rows, np.float32)


def test_a_batch_of_its_own_kind_is_a_new_cluster():
    names = [(f"h{i}.de", "a") for i in range(120)] + [(f"h{i}.ru", "b") for i in range(120)]
    families = {"worm": [f"w{i}.evil" for i in range(200)]}
    result = compare(Model(), names, families, 100, 40, Settings(threads=1))
    worm = result["families"]["worm"]
    assert worm["in_new_clusters"] > 0.9
    with pytest.raises(UsageError, match="were asked for"):
        compare(Model(), names, families, 500, 40, Settings(threads=1))
