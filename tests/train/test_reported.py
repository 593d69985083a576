"""Phishing names of other lists, learnt and kept apart."""

from pathlib import Path

import pytest
import zstandard

from unmist.train import more, reported
from unmist.train.corpus import Example
from unmist.train.written import held_out

HEAD = "text\tlabel\tgroup\tsource\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    def write(path: str, text: str) -> None:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(zstandard.compress(text.encode()))

    scams = [f"claim-{i}.xyz" for i in range(60)] + [f"{c}.drop.app" for c in "abcdef"]
    write("pretrain/hostname/scamsniffer.txt.zst", "\n".join([*scams, "known.top", "tested.top"]))
    parcels = [f"colis-{i}.fr" for i in range(40)]
    write("pretrain/hostname/romainmarcoux.txt.zst", "\n".join(parcels))
    write("pretrain/hostname/crux.txt.zst", "\n".join(f"shop{i}.com" for i in range(80)))
    folder = tmp_path / "tasks" / "host-phishing"
    folder.mkdir(parents=True)
    (folder / "task.toml").write_text('field = "hostname"\n')
    row = "{0}\tphishing\t{0}\tjpcert\n"
    write("tasks/host-phishing/train.tsv.zst", HEAD + row.format("known.top"))
    write("tasks/host-phishing/test.tsv.zst", HEAD + row.format("tested.top"))
    return tmp_path


def test_rows_of_both_labels(data: Path) -> None:
    rows = reported.rows(data, seed=1)
    assert {row.label for row in rows} == set(reported.LABELS)
    assert {row.source for row in rows} == {*reported.LISTS, "popular"}
    assert rows == reported.rows(data, seed=1) == more.rows(data, reported.TASK, [], 1)
    assert {row.text for row in rows}.isdisjoint({"known.top", "tested.top"})
    assert sum(row.group == "drop.app" for row in rows) <= 3


def test_no_more_of_a_list_than_is_wanted(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reported, "LISTS", {"scamsniffer": 2, "romainmarcoux": 0})
    sources = [row.source for row in reported.rows(data, seed=1)]
    assert (sources.count("scamsniffer"), sources.count("romainmarcoux")) == (2, 0)


def test_what_is_kept_is_not_learnt(data: Path) -> None:
    rows: list[Example] = reported.rows(data, seed=1)
    every = reported.kept(data, 100)
    assert set(every) == set(reported.LISTS)
    for kept in every.values():
        assert kept
        assert all(held_out(domain) for _, domain in kept)
        assert {domain for _, domain in kept}.isdisjoint(row.group for row in rows)
    assert all(len(few) == 2 for few in reported.kept(data, 2).values())
