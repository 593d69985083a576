"""Names made of affixes and of letters, beside real ones."""

import random
import re
from pathlib import Path

import pytest
import zstandard

from unmist.errors import UsageError
from unmist.train import made_up, more
from unmist.train.corpus import Example

HEAD = "text\tlabel\tgroup\tsource\n"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")

    def write(path: str, lines: list[str]) -> None:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zstandard.compress("".join(f"{line}\n" for line in lines).encode()))

    sub = [f"api{i}.shop{i}.com" for i in range(40)] + [f"a{i}.held.net" for i in range(10)]
    write("pretrain/hostname/tranco.txt.zst", [f"shop{i}.com" for i in range(40)])
    write("pretrain/hostname/crux.txt.zst", [f"www.{name}" for name in sub])
    write("pretrain/hostname/maltrail.txt.zst", ["evil.example"])
    for task in ("host-dga", "host-phishing"):
        file = folder / "tasks" / task
        file.mkdir(parents=True)
        (file / "task.toml").write_text('field = "hostname"\n')
    write("tasks/host-dga/train.tsv.zst", [HEAD + "shop1.com\tbenign\tshop1.com\tcrux"])
    write("tasks/host-dga/cdn_cloud.tsv.zst", [HEAD + "x.held.net\tbenign\theld.net\tcrux"])
    write("tasks/host-phishing/test.tsv.zst", [HEAD + "shop2.com\tpopular\tshop2.com\tcrux"])
    return folder


def test_rows(data: Path) -> None:
    rows = made_up.rows(data, seed=1, generated=500, real=60)
    generated = [row for row in rows if row.label == "dga"]
    real = {row.text: row.group for row in rows if row.label == "benign"}
    assert len(generated) > 450  # a short one may come twice
    assert all(re.fullmatch(r"[a-z0-9-]+\.[a-z]+", row.text) for row in generated)
    assert real
    assert {row.source for row in rows} == {"made up", "popular"}
    assert all(name.endswith(domain) for name, domain in real.items())
    assert any(name != domain for name, domain in real.items())
    assert any(name == domain for name, domain in real.items())


def test_no_held_out_row_and_none_of_its_domain(data: Path) -> None:
    rows = made_up.rows(data, seed=1, generated=10, real=200)
    texts = {row.text for row in rows}
    assert "shop3.com" in texts
    assert "shop2.com" not in texts  # stands in another task's test
    assert not any(row.group == "held.net" for row in rows)
    assert "evil.example" not in texts  # no list of popular names


def test_the_same_seed_gives_the_same_rows(data: Path) -> None:
    assert made_up.rows(data, 1, 50, 10) == made_up.rows(data, 1, 50, 10)
    assert made_up.rows(data, 1, 50, 10) != made_up.rows(data, 2, 50, 10)


@pytest.mark.parametrize("kind", [kind for kind, _ in made_up.KINDS])
def test_every_kind_makes_a_label(kind: made_up.Kind) -> None:
    chance = random.Random(1)
    for _ in range(300):
        label = kind(chance)
        assert re.fullmatch("[a-z0-9-]{2,63}", label)


def test_a_task_for_which_nothing_is_made(data: Path) -> None:
    with pytest.raises(UsageError, match="host-tracking: no rows are made for it"):
        more.rows(data, "host-tracking", [Example("a.com", "x", "a.com")], 1)


def test_every_kind_of_made_rows_is_told_on_the_card() -> None:
    assert set(more.ABOUT) == set(more._MADE)
