"""Training the tokenizer twice gives the same file."""

import json
from collections import Counter
from pathlib import Path

import pytest
import zstandard

from unmist.text.fields import SPECIAL_TOKENS
from unmist.text.tokenizer import byte_alphabet
from unmist.train import tokenizer as tokenizer_module
from unmist.train.tokenizer import ENCODED, MAX_PIECE, REPEATS, sample, train


def test_the_same_to_the_byte(data_folder: Path, tmp_path: Path) -> None:
    files = []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        train(sample(data_folder, ["hostname"], seed=1), 500).save(str(path))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_order_of_the_vocabulary(data_folder: Path) -> None:
    tokenizer = train(sample(data_folder, ["hostname"], seed=1), 500)
    content = json.loads(tokenizer.to_str())
    order = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    assert len(order) == 500
    assert order[:16] == list(SPECIAL_TOKENS)
    assert sorted(order[16:272]) == sorted(byte_alphabet())
    assert max(map(len, order[272:])) <= MAX_PIECE


def test_the_sample_is_bounded_normalised_and_repeatable(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokenizer_module, "PER_HOSTNAME_SOURCE", 10)
    texts = list(sample(data_folder, ["hostname"], seed=1))
    assert len(texts) == 30
    assert not any(text.startswith("www.") for text in texts)
    assert texts == list(sample(data_folder, ["hostname"], seed=1))
    assert texts != list(sample(data_folder, ["hostname"], seed=2))


def test_fields_of_little_text_are_read_several_times(tmp_path: Path) -> None:
    files = {
        "pretrain/hostname/one.txt.zst": "a.com\nb.org\n",
        "pretrain/command/two.txt.zst": "whoami /all\n",
        f"tasks/{ENCODED}/train.tsv.zst": "text\tlabel\tgroup\tsource\nJTJl\tbase64\tg\ts\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(zstandard.compress(text.encode()))
    texts = Counter(sample(tmp_path, ["hostname", "command"], seed=1))
    assert texts == {
        "a.com": 1,
        "b.org": 1,
        "whoami /all": REPEATS["command"],
        "JTJl": REPEATS["encoded"],
    }
