"""Training the tokenizer twice gives the same file."""

import json
from pathlib import Path

from unmist.text.fields import SPECIAL_TOKENS
from unmist.text.tokenizer import byte_alphabet
from unmist.train.tokenizer import MAX_PIECE, sample, train


def test_the_same_to_the_byte(data_folder: Path, tmp_path: Path) -> None:
    files = []
    for number in range(2):
        path = tmp_path / f"{number}.json"
        train(sample(data_folder, ["hostname"], 300, seed=1), 500).save(str(path))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_order_of_the_vocabulary(data_folder: Path) -> None:
    tokenizer = train(sample(data_folder, ["hostname"], 1000, seed=1), 500)
    content = json.loads(tokenizer.to_str())
    order = sorted(content["model"]["vocab"], key=content["model"]["vocab"].get)
    assert len(order) == 500
    assert order[:16] == list(SPECIAL_TOKENS)
    assert sorted(order[16:272]) == sorted(byte_alphabet())
    assert max(map(len, order[272:])) <= MAX_PIECE


def test_the_sample_is_bounded_normalised_and_repeatable(data_folder: Path) -> None:
    texts = list(sample(data_folder, ["hostname"], 10, seed=1))
    assert len(texts) == 30
    assert not any(text.startswith("www.") for text in texts)
    assert texts == list(sample(data_folder, ["hostname"], 10, seed=1))
    assert texts != list(sample(data_folder, ["hostname"], 10, seed=2))
