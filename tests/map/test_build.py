"""The way from texts to a map: the same each time, groups apart, earlier maps of use."""

import numpy as np
import pytest

pytest.importorskip("openTSNE")

from unmist.errors import InputError, UsageError
from unmist.map import Settings, build, read_map, write_map
from unmist.map.layout import Projection, nearest, neighbour_graph
from unmist.map.points import Texts

SETTINGS = Settings(tasks=("host-category",), threads=1)


def joined(texts, more):
    n = len(more)
    return Texts(
        texts.texts + more, texts.sources + ["u"] * n, texts.lines + [1] * n,
        texts.counts + [1] * n, texts.columns,
    )  # fmt: skip


def test_same_bytes_each_time(model, hosts, tmp_path):
    for name in ("a", "b"):
        write_map(tmp_path / name, build(model, hosts, SETTINGS))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_groups_lie_apart(model, hosts):
    made = build(model, hosts, SETTINGS)
    ends = np.array([text[-2:] for text in hosts.texts])
    near = nearest(made.xy, made.xy, 6)[0][:, 1:]
    assert (ends[near] == ends[:, None]).mean() > 0.95
    assert np.abs(made.xy).max() <= 1 + 1e-6
    assert made.quality["trustworthiness"] > 0.8


def test_more_than_the_sample_is_placed(model, hosts):
    made = build(model, hosts, Settings(sample=90, threads=1))
    assert (made.placed.sum(), len(made)) == (90, 180)
    assert not made.placed[made.neighbours].any()


def test_place_keeps_the_old_map(model, hosts, tmp_path):
    old = build(model, hosts, SETTINGS)
    write_map(tmp_path / "old.parquet", old)
    more = joined(hosts, ["another.de", "another.ru"])
    made = build(model, more, SETTINGS, on=read_map(tmp_path / "old.parquet"))
    np.testing.assert_array_equal(made.xy[:180], old.xy)
    assert made.new.tolist() == [False] * 180 + [True, True]
    near = nearest(old.xy, made.xy[180:181], 5)[0][0]
    assert all(hosts.texts[i].endswith(".de") for i in near)


def test_diff_finds_the_new_cluster(model, hosts, tmp_path):
    write_map(tmp_path / "old.parquet", build(model, hosts, SETTINGS))
    more = joined(hosts, [f"evil{i}.top" for i in range(60)])
    made = build(model, more, SETTINGS, against=read_map(tmp_path / "old.parquet"))
    assert made.new.sum() == 60
    fresh = made.new_clusters()
    assert fresh
    assert all(made.new[made.clusters == c].mean() > 0.5 for c in fresh)


def test_too_few(model, hosts):
    few = Texts(*([v[:9] for v in (hosts.texts, hosts.sources, hosts.lines, hosts.counts)]), {})
    with pytest.raises(UsageError, match="at least 10 distinct texts"):
        build(model, few, SETTINGS)


def test_twins_do_not_break_a_layout(model):
    class Same(type(model)):
        def embed(self, texts, field="hostname"):
            return np.ones((len(texts), 16), np.float32) / 4

    names = [f"a{i}.de" for i in range(60)]
    texts = Texts(names, ["t"] * 60, [1] * 60, [1] * 60, {})
    assert np.isfinite(build(Same(), texts, SETTINGS).xy).all()


def test_a_map_of_another_model_is_refused(model, hosts, tmp_path):
    write_map(tmp_path / "old.parquet", build(model, hosts, SETTINGS))
    model.hash = "cd" * 32
    with pytest.raises(UsageError, match="model_hash"):
        build(model, hosts, SETTINGS, on=read_map(tmp_path / "old.parquet"))


@pytest.mark.parametrize("content", [None, b"", b"PAR1 or so"])
def test_what_is_no_map_is_named(tmp_path, content):
    path = tmp_path / "old.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"old\.parquet"):
        read_map(path)


def test_neighbours_leave_the_point_out():
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    places, distances = neighbour_graph(points, 4)
    assert places.shape == distances.shape == (50, 4)
    assert not (places == np.arange(50)[:, None]).any()


def test_components_come_in_the_order_of_variance():
    vectors = np.random.default_rng(0).normal(size=(300, 4)) * (1, 5, 2, 3)
    project = Projection(vectors.astype(np.float32), 3)
    spread = project(vectors.astype(np.float32)).std(axis=0)
    assert list(spread) == sorted(spread, reverse=True)
    assert 0.9 < project.explained < 1
