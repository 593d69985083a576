"""Figures of tokenizers: unknowns are seen, byte-level ones have none, shorter is fewer."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer, models, pre_tokenizers

from unmist.cli import main
from unmist.errors import InputError
from unmist.evaluate import pieces
from unmist.evaluate.pieces import GENERAL, Texts, load, markdown, measure, run


def words(*known: str) -> Tokenizer:
    vocabulary = {word: i for i, word in enumerate(["[UNK]", *known])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Punctuation()
    return tokenizer


def test_unknowns_are_counted_by_text() -> None:
    of = Texts("hostname", ["mail.com", "mail.qzkj.com"], 2)
    figures = measure(words("mail", ".", "com"), of)
    assert figures["texts_with_unknown"] == 0.5
    assert figures["tokens_per_text"] == 4
    assert figures["boundary_f1"] == 1


def test_ours_beside_a_general_one(
    data_folder: Path, tokenizer_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prose = iter(["The quick brown fox jumps over the lazy dog."] * 50)
    monkeypatch.setattr(pieces, "_general_text", lambda data: prose)
    result = run(data_folder, {"ours": load(tokenizer_file)}, limit=100)
    kind = result["kinds"]["hostname"]
    assert kind["texts"] == 100
    ours, general = (kind["tokenizers"][name] for name in ("ours", GENERAL))
    assert ours["tokens_per_text"] < general["tokens_per_text"]
    assert ours["boundary_f1"] > general["boundary_f1"]
    assert ours["texts_with_unknown"] == 0
    assert set(result["seconds"]["ours"]) == {"rows", "random letters"}
    page = markdown(result, [GENERAL])
    assert "| hostname (100, 100 unseen) |" in page


def test_what_is_no_tokenizer(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a tokenizer"):
        load(tmp_path)


def test_the_verb(
    data_folder: Path, tokenizer_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "_general_text", lambda data: iter(["some prose"] * 9))
    verb = ["evaluate", "tokenizers", "--data", str(data_folder), "--texts", "20"]
    verb += ["-o", str(tmp_path)]
    done = CliRunner().invoke(main, [*verb, "--tokenizer", f"ours={tokenizer_file}"])
    assert done.exit_code == 0, done.output
    assert "ours" in json.loads((tmp_path / "tokenizers.json").read_text())["vocabulary"]
    assert "## Boundary F1" in (tmp_path / "tokenizers.md").read_text()
    for wrong in ("ours", "=x", "ours="):
        done = CliRunner().invoke(main, [*verb, "--tokenizer", wrong])
        assert done.exit_code == 2
        assert "expected NAME=FOLDER" in done.output
