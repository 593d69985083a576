"""Labelled files: what is in them comes back, and what is wrong with them is one line."""

import gzip
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unmist.errors import InputError
from unmist.labelled.data import Example, examples, labelled

TABLE = "text\tlabel\tgroup\nmail.a.com\tx\ta.com\nb.com\ty\t\n"
EXPECTED = [Example("mail.a.com", "x", "a.com"), Example("b.com", "y", "b.com")]


@pytest.mark.parametrize(
    "pack",
    [
        bytes,
        gzip.compress,
        zstandard.compress,
        lambda data: zstandard.compress(data[:20]) + zstandard.compress(data[20:]),
    ],
    ids=["plain", "gzip", "zstd", "two frames"],
)
def test_compressed_or_not(tmp_path: Path, pack) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(pack(TABLE.encode()))
    assert examples(path) == EXPECTED


def test_other_kinds_of_files_are_read_by_their_name(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("text,label,more\nmail.a.com,x,1\nb.com,,2\n")
    assert labelled(path) == [Example("mail.a.com", "x", "mail.a.com")]
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "b.com", "label": "y"}\n')
    assert labelled(path) == [Example("b.com", "y", "b.com")]
    path = tmp_path / "a.tsv.gz"
    path.write_bytes(gzip.compress(TABLE.encode()))
    assert labelled(path) == EXPECTED


def escape(text: str) -> str:
    for character, written in (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(character, written)
    return text


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, max_size=5))
def test_any_text_survives_escaping(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "a.tsv"
    rows = "".join(f"{escape(text)}\tx\n" for text in texts)
    path.write_bytes(f"text\tlabel\n{rows}".encode())
    assert [example.text for example in examples(path)] == texts


def test_unknown_escapes_and_quotes_are_text(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text('label\ttext\nx\t"C:\\Windows\\x41\\\\n\n')
    assert examples(path)[0].text == '"C:\\Windows\\x41\\n'


def test_missing_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    for header in ("", "text\tkind\n", "name\tlabel\n"):
        path.write_text(header)
        with pytest.raises(InputError, match=r"a\.tsv:1: expected columns text and label"):
            examples(path)


def test_a_short_row(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("text\tlabel\na.com\tx\nb.com\n")
    with pytest.raises(InputError, match=r"a\.tsv:3: no text or no label"):
        examples(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zstandard.compress(TABLE.encode() * 100)[:-5], "truncated"),
        (gzip.compress(TABLE.encode() * 100)[:-9], "truncated"),
        (zstandard.compress(TABLE.encode())[:6] + b"\xff" * 30, "corrupt"),
        (b"text\tlabel\n\xff\xfe\tx\n", "utf-8"),
        (b"text\tlabel\n" + b"a" * 200_000 + b"\tx\n", "field"),
    ],
    ids=["zstd", "gzip", "corrupt", "not utf-8", "huge field"],
)
def test_damage(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        examples(path)
    assert str(path) in str(caught.value)


def test_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.tsv"):
        with pytest.raises(InputError, match="cannot be read"):
            examples(path)
