"""Byte-level BPE that loses nothing: ``decode(encode(x)) == x`` for every bytes object.

The file ``tokenizer.json`` is an ordinary Hugging Face tokenizer. It maps the UTF-8 bytes of a
string to 256 printable characters (GPT-2's table), splits before separators ("mail" ".google"
".com") and merges. All 256 byte characters are in the vocabulary, so nothing is unknown. Input that
is not valid UTF-8 takes the same path with the byte mapping done here.
"""

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final

from tokenizers import Tokenizer as _HFTokenizer
from tokenizers import pre_tokenizers

from unmist.errors import ModelError, UsageError
from unmist.text.fields import FIELDS, MASK, PAD, field_token

# Second-level suffixes under which names are registered in many countries: ".co.uk", ".gov.br".
_SECOND_LEVEL: Final = "ac|co|com|edu|gen|go|gob|gouv|gov|mil|ne|net|nom|or|org"
# Bytes outside ASCII letters and digits but not ASCII punctuation, in the byte alphabet.
_HIGH: Final = "\u00a1-\u00ff\u0121-\u0143"
SPLIT_PATTERN: Final = (
    rf"\.(?:{_SECOND_LEVEL})\.[a-z]{{2}}(?![A-Za-z0-9.\-])"
    rf"|[^A-Za-z0-9{_HIGH}]?[A-Za-z0-9{_HIGH}]+"
    rf"|[^A-Za-z0-9{_HIGH}]+"
)


def byte_alphabet() -> list[str]:
    """GPT-2's table: entry ``b`` is the printable character that stands for byte ``b``."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {b: chr(b) for b in kept}
    moved = (b for b in range(256) if b not in table)
    table.update({b: chr(256 + i) for i, b in enumerate(moved)})
    return [table[b] for b in range(256)]


_ALPHABET: Final = byte_alphabet()
_TO_ALPHABET: Final = {b: ord(c) for b, c in enumerate(_ALPHABET)}
_BYTE_OF: Final = {c: b for b, c in enumerate(_ALPHABET)}


class Tokenizer:
    """Text or bytes to token ids and back, loaded from one ``tokenizer.json``.

    Args:
        path: the file. Raises ModelError when it is not a tokenizer of this kind.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            self._text = _as_text(_HFTokenizer.from_file(str(path)))
        except Exception as error:  # the library raises bare Exception for any bad file
            raise ModelError(f"{path}: not a tokenizer file ({error})") from error
        vocabulary = self._text.get_vocab(with_added_tokens=True)
        missing = [t for t in (PAD, MASK, *map(field_token, FIELDS)) if t not in vocabulary]
        if missing or any(c not in vocabulary for c in _ALPHABET):
            raise ModelError(f"{path}: lacks {missing or 'byte tokens'}; not an unmist tokenizer")
        self.pad_id: int = vocabulary[PAD]
        self.mask_id: int = vocabulary[MASK]
        self.field_ids = {field: vocabulary[field_token(field)] for field in FIELDS}
        self.size = len(vocabulary)
        special = {vocabulary[t] for t in vocabulary if t.startswith("[") and t.endswith("]")}
        special &= set(self._text.get_added_tokens_decoder())
        self._pieces = [b""] * self.size
        try:
            for token, index in vocabulary.items():
                if index not in special:
                    self._pieces[index] = bytes(_BYTE_OF[c] for c in token)
        except (KeyError, IndexError) as error:
            raise ModelError(
                f"{path}: has a token that is not in the byte alphabet, or an id "
                f"beyond {self.size}; not an unmist tokenizer"
            ) from error

    @cached_property
    def _bytes(self) -> _HFTokenizer:
        """The same tokenizer for text that is in the byte alphabet already; seldom needed."""
        tokenizer = _as_text(_HFTokenizer.from_str(self._text.to_str()))
        tokenizer.pre_tokenizer = split_before_separators()
        return tokenizer

    def encode(self, text: str | bytes, field: str | None = None) -> list[int]:
        """Token ids of a text; with ``field``, opened by that kind's token.

        Raises:
            UsageError: ``field`` is not a known field kind.
        """
        return self.encode_batch([text], field)[0]

    def encode_batch(
        self, texts: Sequence[str | bytes], field: str | None = None
    ) -> list[list[int]]:
        """Token ids of many texts, encoded by the Rust library on all its threads."""
        prefix = [] if field is None else [self.field_id(field)]
        rows: list[list[int]] = [[]] * len(texts)
        as_text: list[tuple[int, str]] = []
        as_bytes: list[tuple[int, str]] = []
        for i, text in enumerate(texts):
            decoded = _utf8(text)
            if isinstance(decoded, str):
                as_text.append((i, decoded))
            else:
                as_bytes.append((i, decoded.decode("latin-1").translate(_TO_ALPHABET)))
        for part, valid in ((as_text, True), (as_bytes, False)):
            if not part:
                continue
            tokenizer = self._text if valid else self._bytes
            batch = tokenizer.encode_batch_fast([t for _, t in part], add_special_tokens=False)
            for (i, _), encoding in zip(part, batch, strict=True):
                rows[i] = prefix + encoding.ids
        return rows

    def field_id(self, field: str) -> int:
        """Id of the token that opens rows of this kind."""
        try:
            return self.field_ids[field]
        except KeyError:
            raise UsageError(f"no field kind {field!r}; known: {', '.join(FIELDS)}") from None

    def special_id(self, token: str) -> int:
        """Id of a special token. Raises UsageError for any other."""
        index = self._text.token_to_id(token)
        if index is None or self._pieces[index]:
            raise UsageError(f"{token!r} is no special token of this tokenizer")
        return index

    def decode(self, ids: Iterable[int]) -> bytes:
        """The exact bytes; special tokens stand for none."""
        return b"".join(self._pieces[i] for i in ids)

    @property
    def pieces(self) -> tuple[bytes, ...]:
        """What :meth:`piece` says of every token, in order."""
        return tuple(self._pieces)

    def piece(self, index: int) -> bytes:
        """The bytes one token stands for; empty for a special token."""
        return self._pieces[index]


def _as_text(tokenizer: _HFTokenizer) -> _HFTokenizer:
    # A row that contains the characters "[MASK]" is text, not a command to us.
    tokenizer.encode_special_tokens = True
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def split_before_separators() -> pre_tokenizers.PreTokenizer:
    """The split that attaches a separator to the piece that follows it."""
    from tokenizers import Regex

    return pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated")


def _utf8(text: str | bytes) -> str | bytes:
    """``str`` when the text is valid UTF-8, else its bytes (lone surrogates included)."""
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError:
            return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")
    return text


def both_ends(row: list[int], limit: int) -> list[int]:
    """At most ``limit`` tokens: the field-kind token, the beginning and the end."""
    if len(row) <= limit:
        return row
    head = limit // 2
    return row[:head] + row[len(row) - (limit - head) :]
