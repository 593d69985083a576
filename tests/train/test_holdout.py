"""The split of a user's rows: kin stay together, every label can be learnt."""

from hypothesis import given
from hypothesis import strategies as st

from unmist.train import holdout

ROWS = st.lists(st.tuples(st.text(max_size=3), st.sampled_from("abc")), max_size=60)


@given(ROWS, st.randoms())
def test_groups_stay_together_and_labels_can_be_learnt(
    rows: list[tuple[str, str]], random: object
) -> None:
    groups, labels = [g for g, _ in rows], [x for _, x in rows]
    sides = holdout.split(groups, labels)
    of = dict(zip(groups, sides, strict=True))
    assert [of[group] for group in groups] == sides
    assert set(labels) == {x for x, side in zip(labels, sides, strict=True) if side == "train"}
    order = list(range(len(rows)))
    random.shuffle(order)  # type: ignore[attr-defined]
    again = holdout.split([groups[i] for i in order], [labels[i] for i in order])
    assert again == [sides[i] for i in order]


def test_two_rows_of_a_label_are_learnt_from_and_calibrated_on() -> None:
    for number in range(50):
        groups = [f"one{number}", f"other{number}"]
        assert sorted(holdout.split(groups, ["rare", "rare"])) == ["dev", "train"]


def test_shares() -> None:
    sides = holdout.split([f"group{i}" for i in range(4000)], ["x", "y"] * 2000)
    for side, share in (("train", 0.6), ("dev", 0.2), ("test", 0.2)):
        assert abs(sides.count(side) / 4000 - share) < 0.03


def test_kin() -> None:
    hosts = ["WWW.a.co.uk.", "b.a.co.uk", "a.com", "localhost", "10.0.0.1"]
    assert holdout.kin(hosts, "hostname") == [
        "a.co.uk",
        "a.co.uk",
        "a.com",
        "localhost",
        "10.0.0.1",
    ]
    urls = ["https://x.a.com:8443/p?q", "a.com/other", "http://[bad", "mailto:x"]
    assert holdout.kin(urls, "url")[:2] == ["a.com", "a.com"]
    assert len(holdout.kin(urls, "url")) == 4
    assert len(set(holdout.kin(["rm -rf /tmp/17", "RM -rf /tmp/18"], "command"))) == 1


def test_a_name_without_its_public_suffix() -> None:
    assert holdout.without_suffix("www.bbc.co.uk") == "www.bbc"
    assert holdout.without_suffix("example.com") == "example"
    assert holdout.without_suffix("localhost") == "localhost"
