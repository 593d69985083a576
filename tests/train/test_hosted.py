"""URLs made of the hosts of one task and the paths of another."""

from pathlib import Path

import pytest
import zstandard

from unmist.train import hosted
from unmist.train.corpus import Example

URLS = [
    Example("old.example.org/wp/login.php", "phishing", "example.org"),
    Example("docs.site.net/a/b", "benign", "site.net"),
    Example("no-path.net", "benign", "no-path.net"),
    Example("1.2.3.4/x.exe", "malware", "1.2.3.4"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    head = "text\tlabel\tgroup\tsource\n"

    def write(path: str, lines: list[str]) -> None:
        file = tmp_path / "tasks" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zstandard.compress((head + "\n".join(lines) + "\n").encode()))

    names = [f"login{i}.bad{i}.top\tphishing\tbad{i}.top\tlist" for i in range(9)]
    names += ["x.held.cn\tphishing\theld.cn\tlist", "good.de\tbenign\tgood.de\tcrux"]
    write("host-phishing/train.tsv.zst", names)
    write("url-threat/extra.tsv.zst", ["y.held.cn/q\tphishing\theld.cn\tlist"])
    write("url-threat/test.tsv.zst", ["bad3.top/q\tphishing\tbad3.top\tlist"])
    return tmp_path


def test_hosts_under_paths_of_the_same_label(data: Path) -> None:
    rows = hosted.rows(data, URLS, seed=1)
    assert {row.label for row in rows} == {"phishing", "benign"}
    for row in rows:
        path = "/wp/login.php" if row.label == "phishing" else "/a/b"
        assert row.text.endswith(path)
        assert row.group in row.text
    assert len(rows) == 9  # eight of phishing, one of benign
    assert len(hosted.rows(data, URLS, seed=1, of_each=3)) == 4


def test_no_domain_of_a_held_out_row(data: Path) -> None:
    groups = {row.group for row in hosted.rows(data, URLS, seed=1)}
    assert not groups & {"held.cn", "bad3.top"}


def test_the_same_seed_gives_the_same_rows(data: Path) -> None:
    assert hosted.rows(data, URLS, 1) == hosted.rows(data, URLS, 1)
    assert hosted.rows(data, URLS, 1) != hosted.rows(data, URLS, 2)
