"""Clusters are named after what their members have and the rest has not."""

import numpy as np
import pytest

pytest.importorskip("scipy")

from unmist.map.names import name_clusters, terms


def test_terms_of_a_hostname():
    found = terms("www.casino-77-88.co.uk", [b".cas", b"ino", b"casino"], "hostname")
    assert {"casino", ".uk", ".co.uk", "digits", "hyphens"} <= found
    assert "www" not in found


def test_other_fields_have_no_suffix():
    assert not any(t.startswith(".") for t in terms("curl http://a.ru", [], "command"))


def test_odd_text_has_terms_or_none():
    for text in ("", ".", "...", "\u202e", "xn--a.b"):
        assert isinstance(terms(text, [b"\xff"], "hostname"), set)


@pytest.fixture
def members():
    return [{"casino", ".com"}] * 30 + [{"school", ".com"}] * 30


def test_what_all_have_names_nobody(members):
    first, second = name_clusters(members, np.repeat([0, 1], 30))
    assert (first, second) == ("casino", "school")


def test_a_clear_and_telling_label_is_added(members):
    labels = ["gambling"] * 25 + [None] * 5 + ["education"] * 5 + [None] * 25
    first, second = name_clusters(members, np.repeat([0, 1], 30), [labels])
    assert (first, second) == ("casino (gambling)", "school")


def test_a_label_that_everything_has_tells_nothing(members):
    assert name_clusters(members, np.repeat([0, 1], 30), [["benign"] * 60])[0] == "casino"


def test_no_cluster_no_name(members):
    assert name_clusters(members, np.full(60, -1)) == []


def test_a_cluster_of_nothing_in_particular_has_a_number():
    assert name_clusters([set()] * 20, np.repeat([0, 1], 10)) == ["cluster 1", "cluster 2"]
