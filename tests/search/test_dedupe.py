"""Groups: every member near its representative, no two representatives near-equal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from unmist.search import Distinct, Gathering, Reading, Text, group
from unmist.search import dedupe as module


@st.composite
def collections(draw):
    count = draw(st.integers(0, 40))
    seed = draw(st.integers(0, 1000))
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((5, 8))
    vectors = centres[rng.integers(5, size=count)] + 0.3 * rng.standard_normal((count, 8))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [Text(f"t{i:03d}", int(rng.integers(1, 4)), "s", i) for i in range(count)]
    return texts, unit.astype(np.float32), draw(st.sampled_from([0.5, 0.9, 0.99]))


@given(collections())
def test_what_a_group_promises(case) -> None:
    texts, vectors, threshold = case
    groups = group(texts, vectors, threshold)
    assert sorted(m for g in groups for m in g.members) == list(range(len(texts)))
    heads = [g.members[0] for g in groups]
    between = vectors[heads] @ vectors[heads].T - 2 * np.eye(len(heads))
    assert (between < threshold + 1e-5).all()
    for one in groups:
        cosines = vectors[one.members] @ vectors[one.members[0]]
        assert (cosines > threshold - 1e-5).all()
        np.testing.assert_allclose(one.cosines, cosines, atol=1e-5)
    sizes = [sum(texts[m].rows for m in g.members) for g in groups]
    assert sizes == sorted(sizes, reverse=True)


@given(collections(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_matter(case, random) -> None:
    texts, vectors, threshold = case
    order = list(range(len(texts)))
    random.shuffle(order)
    shuffled = group([texts[i] for i in order], vectors[order], threshold)

    def named(groups, texts):
        return [[texts[m].text for m in g.members] for g in groups]

    straight = named(group(texts, vectors, threshold), texts)
    assert named(shuffled, [texts[i] for i in order]) == straight


def test_blocks_make_no_difference(monkeypatch) -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((300, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    texts = [Text(f"{i:03d}", 1, "s", i) for i in range(300)]
    whole = group(texts, vectors, 0.9)
    assert 1 < len(whole) < 200
    monkeypatch.setattr(module, "_BLOCK", 7)
    assert [g.members for g in group(texts, vectors, 0.9)] == [g.members for g in whole]


def test_rows_are_gathered_by_name(tmp_path, toy) -> None:
    path = tmp_path / "x.txt"
    path.write_text("b.example\nWWW.b.example.\n\nB.example\na.example\n")
    gathering = Gathering(Distinct(lambda: toy, "hostname"))
    for rows in Reading(lambda: toy, field="hostname").read(str(path)):
        gathering.add(rows, str(path))
    assert gathering.texts == [
        Text("B.example", 3, str(path), 1),
        Text("a.example", 1, str(path), 5),
    ]
    assert gathering.vectors.shape == (2, 64)
    assert toy.asked == 2


def test_nothing_gives_nothing(toy) -> None:
    gathering = Gathering(Distinct(lambda: toy, "hostname"))
    assert group(gathering.texts, gathering.vectors, 0.9) == []
