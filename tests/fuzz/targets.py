"""What is fuzzed, and what must hold whatever the input: each target takes a seed's name and bytes.

A target raises when something does not hold; an error that is meant for a user is no failure.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Final

from unmist.artifact import layout, manifest, schema
from unmist.artifact.load import _arrays, _lora, _wide, encoder_shapes
from unmist.errors import InputError, ModelError, UsageError
from unmist.io import FORMATS, MAX_TEXT_BYTES, ReadCounts, open_rows
from unmist.text import FIELDS, Tokenizer, both_ends, cut, normalize

Target = Callable[[str, bytes], None]


def readers(name: str, data: bytes) -> None:
    """The seed's own format, or the one that the bytes are taken for."""
    kind = name.split(".")[0]
    given = kind if kind in FORMATS and len(data) % 2 else "auto"
    counts = ReadCounts()
    try:
        rows = list(open_rows("-", format=given, counts=counts, stdin=io.BytesIO(data)))
    except (InputError, UsageError) as error:
        str(error).encode()
        return
    assert counts.rows + counts.bad == len(rows)
    lines = [row.line for row in rows]
    assert lines == sorted(lines)
    for row in rows:
        assert len(row.text.encode()) <= max(MAX_TEXT_BYTES, 4 * len(data))


def normaliser(name: str, data: bytes) -> None:
    """Any bytes and any string; hostnames come out the same a second time."""
    for field in ("hostname", "url"):
        once = normalize(data, field)
        assert isinstance(once, str | bytes)
        assert field == "url" or normalize(once, field) == once
    text = data.decode("utf-8", "surrogateescape")
    once = normalize(text, "hostname")
    assert normalize(once, "hostname") == once
    assert len(cut(data, 64)[0]) <= 64 or len(data) <= 64


class TokenizerTarget:
    """Text and bytes come back as they were, and no input makes a special token."""

    def __init__(self, path: Path) -> None:
        self._tokenizer = Tokenizer(path)
        self._special = {self._tokenizer.pad_id, self._tokenizer.mask_id}
        self._special |= set(self._tokenizer.field_ids.values())

    def __call__(self, name: str, data: bytes) -> None:
        """Encode and decode."""
        field = FIELDS[len(data) % len(FIELDS)]
        ids = self._tokenizer.encode(data, field)
        assert ids[0] == self._tokenizer.field_id(field)
        assert self._tokenizer.decode(ids) == data
        assert not self._special & set(ids[1:])
        assert len(both_ends(ids, 16)) == min(16, len(ids))


class LoaderTarget:
    """A file of a model folder, read as the loader reads it: a ModelError or nothing.

    Args:
        folder: to write in; on a memory file system it is fastest.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "task"
        self._folder.mkdir(exist_ok=True)

    def __call__(self, name: str, data: bytes) -> None:
        """Write it and read it."""
        path = self._folder / name
        path.write_bytes(data)
        try:
            READ[name](path)
        except ModelError as error:
            str(error).encode()
        finally:
            path.unlink()


def _config(path: Path) -> None:
    schema.read(path, schema.EncoderConfig).check(path)


def _card(path: Path) -> None:
    schema.read(path, schema.TaskCard).check(path)


def _lora_config(path: Path) -> None:
    schema.read(path, schema.LoraConfig).check(path, 4)


def _manifest(path: Path) -> None:
    manifest.verify(path.parent)


def _head(path: Path) -> None:
    arrays = _arrays(path, {"weight": (3, 4), "bias": (3,)})
    assert {name: array.dtype.name for name, array in arrays.items()} == {
        "weight": "float32",
        "bias": "float32",
    }


def _wide_head(path: Path) -> None:
    found = _wide(path, 3)
    assert found is not None
    assert found[0].shape[1:] == (3,)


def _tokenizer(path: Path) -> None:
    Tokenizer(path)


_SEEDS: Final = Path(__file__).with_name("seeds") / "loader"
_TINY: Final = schema.read(_SEEDS / layout.CONFIG, schema.EncoderConfig)
_FACTORS: Final = schema.read(_SEEDS / layout.ADAPTER_CONFIG, schema.LoraConfig)


def _encoder(path: Path) -> None:
    shapes = encoder_shapes(_TINY)
    assert {name: a.shape for name, a in _arrays(path, shapes).items()} == shapes


def _factors(path: Path) -> None:
    for first, second in _lora(path, _TINY, _FACTORS).values():
        assert len(first) == second.shape[1] == _FACTORS.r


def _router(path: Path) -> None:
    schema.read(path, schema.RouterCard).check(path)


READ: Final[dict[str, Callable[[Path], None]]] = {
    layout.CONFIG: _config,
    layout.TASK: _card,
    layout.ADAPTER_CONFIG: _lora_config,
    layout.MANIFEST: _manifest,
    layout.HEAD: _head,
    layout.WIDE: _wide_head,
    layout.TOKENIZER: _tokenizer,
    layout.WEIGHTS: _encoder,
    layout.ADAPTER_WEIGHTS: _factors,
    layout.ROUTER: _router,
    layout.ROUTER_WEIGHTS: _wide_head,
}

# Share of all inputs, and the folder of their seeds. A loader's input costs ten of the others.
KINDS: Final = {
    "normaliser": (0.4, "text"),
    "tokenizer": (0.3, "text"),
    "readers": (0.25, "readers"),
    "loader": (0.05, "loader"),
}


def all_targets(folder: Path) -> dict[str, Target]:
    """The targets by name; ``folder`` is to write in."""
    return {
        "normaliser": normaliser,
        "tokenizer": TokenizerTarget(_SEEDS / layout.TOKENIZER),
        "readers": readers,
        "loader": LoaderTarget(folder),
    }
