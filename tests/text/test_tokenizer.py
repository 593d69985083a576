"""The tokenizer loses nothing, knows everything, and stays quick."""

import json
import random
import re
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import Tokenizer as PlainTokenizer
from transformers import AutoTokenizer

from unmist.errors import ModelError, UsageError
from unmist.text import FIELDS, Tokenizer
from unmist.text.fields import SPECIAL_TOKENS
from unmist.text.tokenizer import SPLIT_PATTERN, byte_alphabet, split_before_separators

ANY_TEXT = st.text(st.characters(exclude_categories=()))
# Bytes near the edge of UTF-8, and text near our own tokens.
PIECES = st.sampled_from(
    [b"[MASK]", b"[HOSTNAME]", b"[PAD]", b"\0", b"\xff", b"\xc3", b"\xbc", b".co.uk", b"www.",
     b"\xed\xa0\x80", b" ", b"\n", "\u0120".encode(), b"casino", b"-", b"%2e"]
)  # fmt: skip
ODD_BYTES = st.one_of(st.binary(), st.lists(PIECES).map(b"".join))


@pytest.fixture(scope="module")
def tokenizer(tokenizer_file: Path) -> Tokenizer:
    return Tokenizer(tokenizer_file)


@given(ODD_BYTES)
@example(b"\xed\xa0\x80")
@example(bytes(range(256)))
def test_bytes_come_back(tokenizer: Tokenizer, data: bytes) -> None:
    assert tokenizer.decode(tokenizer.encode(data)) == data
    assert tokenizer.decode(tokenizer.encode(data, "url")) == data


@given(ANY_TEXT)
@example("\ud800\udc00")
@example("a\0b[MASK]c[HOSTNAME]")
def test_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)).decode("utf-8", "surrogatepass") == text


@given(ODD_BYTES)
@example(b"".join(token.encode() for token in SPECIAL_TOKENS))
@example(b"[MASK]\xff[HOSTNAME]")
def test_text_never_becomes_a_special_token(tokenizer: Tokenizer, data: bytes) -> None:
    ids = tokenizer.encode(data)
    assert all(len(SPECIAL_TOKENS) <= index < tokenizer.size for index in ids)
    assert all(tokenizer.piece(index) for index in ids)


def test_special_tokens_stand_for_no_bytes(tokenizer: Tokenizer) -> None:
    assert [tokenizer.piece(index) for index in range(len(SPECIAL_TOKENS))] == [b""] * 16
    assert tokenizer.pad_id == 0
    assert tokenizer.mask_id == 1


def test_every_byte_is_a_token(tokenizer: Tokenizer) -> None:
    single = {tokenizer.piece(i) for i in range(tokenizer.size) if len(tokenizer.piece(i)) == 1}
    assert single == {bytes([byte]) for byte in range(256)}


@given(st.lists(st.one_of(ODD_BYTES, ANY_TEXT), max_size=6), st.sampled_from([None, *FIELDS]))
def test_a_batch_is_its_rows(
    tokenizer: Tokenizer, texts: list[str | bytes], field: str | None
) -> None:
    assert tokenizer.encode_batch(texts, field) == [tokenizer.encode(t, field) for t in texts]


@given(st.text())
@example("mail.google.co.uk/\u00fc?\u0120 [MASK]")
def test_both_paths_agree(tokenizer: Tokenizer, text: str) -> None:
    """What is not UTF-8 goes through our own byte table; on valid text both must agree."""
    table = dict(enumerate(byte_alphabet()))
    mapped = text.encode().decode("latin-1").translate(table)
    by_bytes = tokenizer._bytes.encode(mapped, add_special_tokens=False).ids
    assert tokenizer.encode(text) == tokenizer.encode(text.encode()) == by_bytes


@pytest.mark.parametrize("field", FIELDS)
def test_the_field_token_comes_first(tokenizer: Tokenizer, field: str) -> None:
    ids = tokenizer.encode("a.com", field)
    assert ids[0] == SPECIAL_TOKENS.index(f"[{field.upper()}]")
    assert ids[1:] == tokenizer.encode("a.com")


def test_an_unknown_field_is_named(tokenizer: Tokenizer) -> None:
    for ask in (tokenizer.field_id, lambda field: tokenizer.encode("a", field)):
        with pytest.raises(UsageError, match=r"'stars'; known: hostname, url"):
            ask("stars")


@given(st.text(alphabet=st.characters(codec="utf-8")))
@example("mail.google.co.uk..x--y_z")
@example(".gov.br")
def test_the_split_loses_nothing(text: str) -> None:
    mapped = "".join(byte_alphabet()[byte] for byte in text.encode())
    pieces = [piece for piece, _ in split_before_separators().pre_tokenize_str(mapped)]
    assert "".join(pieces) == mapped
    assert all(re.fullmatch(SPLIT_PATTERN, piece) for piece in pieces)


def test_the_split_keeps_separators_with_what_follows() -> None:
    pieces = split_before_separators().pre_tokenize_str("mail.google.co.uk.a-b/c")
    assert [piece for piece, _ in pieces] == ["mail", ".google", ".co", ".uk", ".a", "-b", "/c"]
    pieces = split_before_separators().pre_tokenize_str("mail.google.co.uk")
    assert [piece for piece, _ in pieces] == ["mail", ".google", ".co.uk"]


@given(st.text())
def test_other_libraries_read_the_same(
    tokenizer: Tokenizer, tokenizer_file: Path, text: str
) -> None:
    if any(token in text for token in SPECIAL_TOKENS):
        return
    plain = PlainTokenizer.from_file(str(tokenizer_file))
    assert plain.encode(text).ids == tokenizer.encode(text)


@pytest.mark.parametrize("text", ["mail.google.co.uk", "casino  \u00fc\n", "A.b-C:80/x?y=%20"])
def test_auto_tokenizer_reads_the_same(
    tokenizer: Tokenizer, encoder_folder: Path, text: str
) -> None:
    auto = AutoTokenizer.from_pretrained(encoder_folder)
    assert auto(text)["input_ids"] == tokenizer.encode(text)
    assert auto("[HOSTNAME]" + text)["input_ids"] == tokenizer.encode(text, "hostname")
    assert (auto.pad_token_id, auto.mask_token_id) == (tokenizer.pad_id, tokenizer.mask_id)


RANDOM = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789.-", k=200_000))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "." * 200_000,
        "xn--" * 50_000,
        ".co.uk" * 33_334,
        "casino" * 33_334,
        "\u00fc" * 100_000,
        RANDOM,
        b"\xff" * 200_000,
    ],
    ids=["a", "dots", "xn", "suffix", "word", "umlaut", "random", "bytes"],
)
def test_time_is_linear(tokenizer: Tokenizer, text: str | bytes) -> None:
    """Ten times the text in at most thirty times the time; a square would be a hundred."""

    def seconds(part: str | bytes) -> float:
        best = float("inf")
        for _ in range(3):
            began = time.process_time()
            tokenizer.encode(part)
            best = min(best, time.process_time() - began)
        return best

    tokenizer.encode(text[:1000])
    assert seconds(text) < 30 * max(seconds(text[: len(text) // 10]), 0.001)


@pytest.mark.parametrize("content", [b"", b"{}", b"[1, 2", b"\xff\xfe", b'{"model": {}}'])
def test_a_file_that_is_no_tokenizer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "tokenizer.json"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        Tokenizer(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tokenizer"):
        Tokenizer(tmp_path / "tokenizer.json")


@pytest.mark.parametrize("damage", ["no field token", "no byte", "foreign token", "far id"])
def test_a_tokenizer_of_another_kind(tokenizer_file: Path, tmp_path: Path, damage: str) -> None:
    path = Path(shutil.copy(tokenizer_file, tmp_path))
    content = json.loads(path.read_text())
    vocabulary = content["model"]["vocab"]
    if damage == "no field token":
        content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] != "[URL]"]
        del vocabulary["[URL]"]
    elif damage == "no byte":
        vocabulary["zzzz"] = vocabulary.pop("\u0100")
    elif damage == "foreign token":
        vocabulary["\u2581word"] = len(vocabulary)
    else:
        vocabulary["zzzz"] = len(vocabulary) + 5
    path.write_text(json.dumps(content))
    with pytest.raises(ModelError, match="not an unmist tokenizer"):
        Tokenizer(path)


def test_the_file_is_read_only_once(tokenizer_file: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(tokenizer_file, tmp_path))
    tokenizer = Tokenizer(path)
    path.unlink()
    assert tokenizer.decode(tokenizer.encode(b"\xff")) == b"\xff"
