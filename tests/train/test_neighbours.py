"""Neighbours are spelt alike and stand on another registrable domain."""

from unmist.train.neighbours import neighbours


def test_the_same_word_on_another_domain() -> None:
    others = [f"{word}.com" for word in ("quartz", "vexing", "jumbo", "flock", "whisky")]
    found = dict(neighbours(["readthedocs.io", "readthedocs.com", "docs.readthedocs.io", *others]))
    assert found["readthedocs.io"] == ["readthedocs.com"]
    assert set(found["readthedocs.com"]) == {"readthedocs.io", "docs.readthedocs.io"}
    assert not set(others) & set(found)


def test_hosts_of_one_domain_are_no_neighbours() -> None:
    assert neighbours(["mail.example.com", "mail2.example.com"]) == []


def test_nothing_has_no_neighbours() -> None:
    assert neighbours([]) == []
