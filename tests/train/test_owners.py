"""Owners of the lists and by hand; none that is held out."""

from pathlib import Path

import pytest
import zstandard

from unmist.train import owners
from unmist.train.holdout import kin

HEAD = "text\tlabel\tgroup\tsource\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = ["owner\thost\tsplit", "single\tone.com\ttrain"]
    for number in range(3):
        rows += [f"o{number}\tmail.site{number}.com\ttrain", f"o{number}\tsite{number}.de\ttrain"]
    rows += ["tested\tmail.a.net\ttest", "tested\tb.net\ttest"]
    task = HEAD + "cdn.held.org\tnews\theld.org\tlist\n"
    for path, text in {
        "pretrain/hostname/pairs/lists.tsv.zst": "\n".join([*rows, ""]),
        "tasks/host-category/test.tsv.zst": task,
    }.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zstandard.compress(text.encode()))
    (tmp_path / "tasks/host-category/task.toml").write_text('field = "hostname"\n')
    return tmp_path


def test_listed_owners_are_those_of_the_training_split(data: Path) -> None:
    found = owners.listed(data)
    assert len(found) == 3
    assert [["mail.site0.com"], ["site0.de"]] in [sorted(domains) for domains in found]


def test_an_owner_by_hand_needs_two_domains_and_no_held_out_one(data: Path, tmp_path: Path) -> None:
    path = tmp_path / "owners.txt"
    path.write_text(
        "Kept: x.com www.y.net a.x.com\n"
        "Of one domain: a.z.com b.z.com\n"
        "Tested: other.com new.a.net\n"
        "Of a held-out row: w.com cdn.held.org\n"
        "Of one beside it: v.com held.org\n"
    )
    found = owners.by_hand(data, path)
    assert [["x.com", "a.x.com"], ["y.net"]] in found
    assert [["v.com"], ["held.org"]] in found
    assert len(found) == 2


def test_the_file_is_well_formed() -> None:
    lines = owners._BY_HAND.read_text(encoding="utf-8").splitlines()
    names = [line.partition(":")[0] for line in lines]
    assert len(set(names)) == len(names) > 1000
    for line in lines:
        hosts = line.partition(": ")[2].split(" ")
        assert len(set(kin(hosts, "hostname"))) > 1, line
        assert all(host == host.lower() and "." in host for host in hosts), line
