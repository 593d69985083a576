"""Rows in other spellings."""

import pytest

from unmist.text import normalize
from unmist.text.views import vary, views
from unmist.train import varied
from unmist.train.corpus import Example

ROWS = [
    Example("www.town.gov.uk", "government", "town.gov.uk", "list"),
    Example("casino-lake.com", "gambling", "casino-lake.com", "list"),
    Example("", "news", "", "list"),
]


def test_label_group_and_source_stay_and_the_text_is_one_of_its_views() -> None:
    made = varied.rows(ROWS, "hostname", 1, 1.0)
    assert sorted(row.label for row in made) == ["gambling", "government"]  # "" has no spelling
    for row in made:
        was = next(other for other in ROWS if other.label == row.label)
        assert (row.group, row.source) == (was.group, was.source)
        assert row.text in {vary(view, was.text, 1) for view in views("hostname")} - {None}


@pytest.mark.parametrize("field", ["hostname", "url", "http", "command", "path", "cloud", "log"])
def test_many_spellings_of_one_text(field: str) -> None:
    text = "login.example.com" if field == "hostname" else "http://example.com/login?name=value"
    row = Example(text, "x", "")
    texts = {text for seed in range(40) for text in _texts(row, field, seed)}
    assert len(texts) > len(views(field)) / 2
    assert row.text not in texts


def _texts(row: Example, field: str, seed: int) -> list[str]:
    return [made.text for made in varied.rows([row], field, seed, 1.0)]


def test_what_normalising_undoes_is_not_learnt_twice() -> None:
    row = Example("login.example.com", "x", "")
    for seed in range(30):
        for made in varied.rows([row], "hostname", seed, 1.0):
            assert normalize(made.text, "hostname") != normalize(row.text, "hostname")


def test_spellings_that_mean_the_same_come_as_often_as_the_others() -> None:
    row = Example("s3:GetObject", "x", "")
    texts = [made.text for seed in range(200) for made in varied.rows([row], "cloud", seed, 1.0)]
    same = sum(text.lower() == row.text.lower() for text in texts)
    assert 60 < same < 140


def test_a_share_of_the_rows_by_seed() -> None:
    many = [Example(f"name{number}.com", "x", "") for number in range(100)]
    once = varied.rows(many, "hostname", 1, 0.5)
    assert len(once) == 50
    assert once == varied.rows(many, "hostname", 1, 0.5)
    assert once != varied.rows(many, "hostname", 2, 0.5)
    assert varied.rows(many, "hostname", 1, 0.0) == []
