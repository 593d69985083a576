"""Rows without their public suffix."""

from unmist.train import bare
from unmist.train.corpus import Example

ROWS = [
    Example("www.town.gov.uk", "government", "town.gov.uk", "list"),
    Example("casino-lake.com", "gambling", "casino-lake.com", "list"),
    Example("com", "news", "com", "list"),
]


def test_label_and_group_stay_and_the_suffix_goes() -> None:
    made = sorted(bare.rows(ROWS, 1, share=1.0), key=lambda row: row.text)
    assert made == [
        Example("casino-lake", "gambling", "casino-lake.com", bare.SOURCE),
        Example("www.town", "government", "town.gov.uk", bare.SOURCE),
    ]


def test_a_share_of_the_rows_by_seed() -> None:
    many = [Example(f"name{number}.com", "x", "") for number in range(100)]
    once = bare.rows(many, 1)
    assert len(once) == 50
    assert once == bare.rows(many, 1)
    assert once != bare.rows(many, 2)
