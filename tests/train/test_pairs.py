"""Pairs mean the same, near misses do not, and the loss brings the former together."""

import random
from pathlib import Path

import numpy as np
import pytest
import torch
import zstandard

from unmist.text import Tokenizer, normalize
from unmist.train import pairs
from unmist.train.encoder import SIZES, Encoder, Shape
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
        "path/files.txt.zst": [f"/var/log/app{n}/event-{12300 + n}.log" for n in range(120)],
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


def test_two_hosts_of_an_owner(drawn: Pairs, tokenizer_file: Path) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    triples = drawn.owners(random.Random(1))
    assert len(triples.first) == len(triples.second) == len(triples.miss) == 40
    for first, second, miss in zip(triples.first, triples.second, triples.miss, strict=True):
        one, other = sorted((tokenizer.decode(first), tokenizer.decode(second)))
        assert one.startswith(b"mail.site")
        assert one.split(b".")[1] == other.split(b".")[0]
        assert miss != first


def test_neighbours_are_of_two_domains(drawn: Pairs, tokenizer_file: Path) -> None:
    tokenizer = Tokenizer(tokenizer_file)
    triples = drawn.neighbours(random.Random(1))
    assert len(triples.first) == len(triples.second) > 40
    assert triples.miss == []
    for sides in zip(triples.first, triples.second, strict=True):
        one, other = (tokenizer.decode(side).removeprefix(b"mail.") for side in sides)
        assert one != other


def test_pairs_without_near_misses_have_a_loss(drawn: Pairs, tokenizer_file: Path) -> None:
    encoder = Encoder(Shape(**SIZES["edge"].as_dict() | {"layers": 1}))
    assert pairs.loss(encoder, drawn.neighbours(random.Random(1))).item() > 0


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


@pytest.mark.parametrize(
    ("field", "text", "other"),
    [
        ("hostname", "web12.example.com", "web13.example.com"),
        ("path", "/usr/lib/libssl.so.1.9", "/usr/lib/libssl.so.1.0"),
        ("header", "nginx/1.18.2", "nginx/1.18.3"),
        ("command", "kill 12345", "kill 12346"),
        ("command", "python3.11 a.py", None),  # another version is another program
    ],
)
def test_another_number(field: str, text: str, other: str | None) -> None:
    found = {pairs._next_number(text, field, random.Random(seed)) for seed in range(20)}
    assert other in found


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


def test_ranking_asks_for_more_than_telling_apart() -> None:
    torch.manual_seed(1)
    encoder = Encoder(Shape(layers=1, hidden=64, vocabulary=50))
    first, second, miss = ([[5 + i, 20, 30 + i]] for i in (0, 9, 0))
    other = [[40, 41, 42]]
    near = Triples(first + other, second + other, [*miss, [43, 44, 45]])
    far = Triples(first + other, miss + other, [*second, [43, 44, 45]])
    worth = [
        (pairs.loss(encoder, t, ranking=1.0) - pairs.loss(encoder, t)).item() for t in (near, far)
    ]
    assert worth[0] > 0.1 > worth[1] >= 0


def test_nothing_to_compare() -> None:
    assert pairs.loss(Encoder(SIZES["tiny"]), Triples([], [], [])).item() == 0
