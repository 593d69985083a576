"""Pairs mean the same, near misses do not, and the loss brings the former together."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard

from unmist.text import Tokenizer, normalize
from unmist.train import pairs
from unmist.train.encoder import Encoder, Shape
from unmist.train.pairs import Pairs, Triples


@pytest.fixture(scope="session")
def paired_folder(data_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The test data with owners' hosts and a file of paths."""
    folder = tmp_path_factory.mktemp("paired")
    for name in ("tasks", "pretrain"):
        (folder / name).mkdir()
    (folder / "tasks").rmdir()
    (folder / "tasks").symlink_to(data_folder / "tasks")
    rows = ["owner\thost\tsplit"]
    for number in range(40):
        rows += [f"o{number}\tmail.site{number}.com\ttrain", f"o{number}\tsite{number}.de\ttrain"]
    rows += ["single\tone.com\ttrain", "tested\ta.net\ttest", "tested\tb.net\ttest"]
    written = {
        "hostname/pairs/lists.tsv.zst": rows,
        "path/files.txt.zst": [f"/var/log/app{n}/event-1234{n:02}.log" for n in range(60)],
    }
    for name, lines in written.items():
        path = folder / "pretrain" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(zstandard.compress("\n".join([*lines, ""]).encode()))
    return folder


@pytest.fixture
def drawn(paired_folder: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch) -> Pairs:
    monkeypatch.setattr(pairs, "FIELDS", ("path",))
    return Pairs(paired_folder, Tokenizer(tokenizer_file))


def test_owners_are_those_of_the_training_split(paired_folder: Path) -> None:
    found = pairs.owners(paired_folder)
    assert len(found) == 40
    assert [["mail.site0.com"], ["site0.de"]] in [sorted(domains) for domains in found]


def test_two_hosts_of_an_owner(drawn: Pairs, tokenizer_file: Path) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    triples = drawn.owners(random.Random(1))
    assert len(triples.first) == len(triples.second) == len(triples.miss) == 40
    for first, second, miss in zip(triples.first, triples.second, triples.miss, strict=True):
        one, other = sorted((tokenizer.decode(first), tokenizer.decode(second)))
        assert one.startswith(b"mail.site")
        assert one.split(b".")[1] == other.split(b".")[0]
        assert miss != first


def test_forms_of_a_text(drawn: Pairs, tokenizer_file: Path) -> None:
    triples = drawn.forms(random.Random(1))
    assert len(triples.first) == pairs.FORMS_A_STEP
    assert all(first != second for first, second in zip(triples.first, triples.second, strict=True))


def test_the_same_seed_draws_the_same(drawn: Pairs) -> None:
    assert drawn.owners(random.Random(3)) == drawn.owners(random.Random(3))
    assert drawn.forms(random.Random(3)) != drawn.forms(random.Random(4))


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("path", "/usr/lib/x.so"),
        ("header", "curl agent 1"),
        ("command", "kill 123456"),
        ("url", "a.com/x?id=1234567"),
        ("cloud", "s3:GetObject"),
    ],
)
def test_another_form(field: str, text: str) -> None:
    other = pairs.same(text, field, random.Random(1))
    assert other is not None
    assert other != text
    assert normalize(other, field).__class__ is str


def test_no_other_form() -> None:
    assert pairs.same("plain", "header", random.Random(1)) is None


def test_rows_of_any_lengths_are_pooled_in_order() -> None:
    torch.manual_seed(1)
    encoder = Encoder(Shape(layers=1, hidden=64, vocabulary=50))
    rows = [[1, 2, 3], [4], [5, 6, 7], [8, 9]]
    together = pairs.pooled(encoder, rows)
    alone = torch.cat([encoder.pool(torch.tensor([row])) for row in rows])
    assert torch.allclose(together, alone, atol=1e-6)


def test_the_loss_falls_while_pairs_come_together() -> None:
    torch.manual_seed(1)
    encoder = Encoder(Shape(layers=1, hidden=64, vocabulary=50))
    generator = np.random.default_rng(1)
    rows = [generator.integers(5, 50, (16, 4)).tolist() for _ in range(3)]
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        loss = pairs.loss(encoder, Triples(*rows))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 2


def test_nothing_to_compare() -> None:
    assert pairs.loss(torch.nn.Identity(), Triples([], [], [])).item() == 0
