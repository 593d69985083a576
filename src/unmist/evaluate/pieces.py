"""Our tokenizer beside general ones: how long rows become, and whether the cuts make sense.

::

    unmist evaluate tokenizers --data DATA --tokenizer v2=tokenizer.json --peer minilm=FOLDER -o OUT

Texts are those of the tasks' dev, test and extra files, which no tokenizer was trained on; where a
field has fewer than :data:`FEWEST` of them, pretraining rows are added, which ours has seen, and
the report says so.
"""

import importlib
import inspect
import random
import string
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from unmist.errors import InputError
from unmist.evaluate.boundaries import GOLD, Agreement, compare
from unmist.evaluate.probes.report import table
from unmist.text import FIELDS, cut, normalize
from unmist.text.tokenizer import byte_alphabet
from unmist.train import corpus

FEWEST: Final = 500
ENCODED_TASK: Final = "encoded-payload"
GENERAL: Final = "general BPE"
LONG: Final = 100_000  # characters of the timed texts
GENERAL_CHARACTERS: Final = 5_000_000  # that the general tokenizer is trained on
_REPEATS: Final = 3


@dataclass(frozen=True)
class Texts:
    """Texts of one kind; ``unseen`` of them come from held-out task files."""

    kind: str
    texts: list[str]
    unseen: int


def load(path: Path) -> Tokenizer:
    """A ``tokenizer.json``, or the one in a model folder, without truncation and padding.

    Raises:
        InputError: there is none, or it does not open.
    """
    file = path / "tokenizer.json" if path.is_dir() else path
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise InputError(f"not a tokenizer ({error})", str(file)) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def general(data: Path, vocabulary: int) -> Tokenizer:
    """A byte-level BPE with GPT-2's split, trained on prose and Python's own documentation.

    What one would get from general English text at our size. The prose is a sample of that of the
    data folder, descriptions of software and attacks, so it has met words of the trade.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        initial_alphabet=byte_alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_general_text(data), trainer)
    return tokenizer


def _general_text(data: Path) -> Iterator[str]:
    topics = importlib.import_module("pydoc_data.topics")
    lines = inspect.getsource(topics).splitlines()
    for path in corpus.sources(data, "prose"):
        lines += corpus.lines(path)
    random.Random(1).shuffle(lines)
    left = GENERAL_CHARACTERS
    for line in lines:
        if left <= 0:
            break
        left -= len(line)
        yield line


def texts(data: Path, limit: int, seed: int = 1) -> list[Texts]:
    """At most ``limit`` distinct texts of each field kind that the data has, and of encoded
    payloads, normalised as for training and cut to the same bytes."""
    held_out: dict[str, dict[str, None]] = {}
    for file in sorted((data / "tasks").glob("*/*.tsv.zst")):
        task = file.parent.name
        if file.name != "train.tsv.zst":
            kind = "encoded" if task == ENCODED_TASK else corpus.field_of(data, task)
            found = held_out.setdefault(kind, {})
            found.update((_ready(row.text, kind), None) for row in corpus.examples(file))
    out = []
    for kind in [*FIELDS, "encoded"]:
        unseen = _some(list(held_out.get(kind, {})), limit, seed)
        seen: list[str] = []
        if len(unseen) < FEWEST and (data / "pretrain" / kind).is_dir():
            rows = (row for path in corpus.sources(data, kind) for row in corpus.lines(path))
            distinct = list(dict.fromkeys(_ready(row, kind) for row in rows))
            seen = _some(distinct, limit - len(unseen), seed)
        if unseen or seen:
            out.append(Texts(kind, unseen + seen, len(unseen)))
    if not out:
        raise InputError(
            "no tasks/*/*.tsv.zst and no pretrain/ here; give the data folder", str(data)
        )
    return out


def _ready(text: str, kind: str) -> str:
    limited, _ = cut(str(normalize(text, kind)))
    return limited if isinstance(limited, str) else limited.decode("utf-8", "replace")


def _some(items: list[str], count: int, seed: int) -> list[str]:
    return items if len(items) <= count else random.Random(seed).sample(items, count)


def run(data: Path, tokenizers: dict[str, Tokenizer], limit: int, seed: int = 1) -> dict[str, Any]:
    """Figures of every tokenizer on every kind of text.

    Args:
        data: the data folder.
        tokenizers: name to tokenizer; a general BPE of the first one's size is added.
        limit: texts of a kind.
        seed: which texts.

    Raises:
        InputError: the data folder has no texts, or no prose.
    """
    chosen = texts(data, limit, seed)
    size = next(iter(tokenizers.values())).get_vocab_size()
    every = tokenizers | {GENERAL: general(data, size)}
    return {
        "texts": limit,
        "seed": seed,
        "vocabulary": {name: t.get_vocab_size() for name, t in every.items()},
        "kinds": {
            of.kind: {
                "texts": len(of.texts),
                "unseen": of.unseen,
                "tokenizers": {name: measure(t, of) for name, t in every.items()},
            }
            for of in chosen
        },
        "seconds": {name: _seconds(t, chosen) for name, t in every.items()},
    }


def measure(tokenizer: Tokenizer, of: Texts) -> dict[str, Any]:
    """Tokens per character and per text, special tokens not counted; share of texts with an
    unknown; boundary F1 where the kind has a gold."""
    unknown = _unknown_id(tokenizer)
    tokens = characters = unknowns = 0
    agreement = Agreement()
    encodings = tokenizer.encode_batch(of.texts, add_special_tokens=False)
    for text, encoding in zip(of.texts, encodings, strict=True):
        tokens += len(encoding.ids)
        characters += len(text)
        unknowns += unknown in encoding.ids
        if of.kind in GOLD:
            cuts = [stop for _, stop in encoding.offsets]
            agreement += compare(GOLD[of.kind](text), cuts)
    result: dict[str, Any] = {
        "tokens_per_character": round(tokens / characters, 4),
        "tokens_per_text": round(tokens / len(of.texts), 3),
        "texts_with_unknown": round(unknowns / len(of.texts), 4),
    }
    if of.kind in GOLD:
        result["boundary_f1"] = round(agreement.f1, 4)
    return result


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    for name in ("[UNK]", "<unk>"):
        index: int | None = tokenizer.token_to_id(name)
        if index is not None:
            return index
    return None


def _seconds(tokenizer: Tokenizer, chosen: Sequence[Texts]) -> dict[str, float]:
    """Least of three processor times for :data:`LONG` characters as one text: rows in turn, and
    random letters without any separator. One text is encoded by the calling thread, whose time is
    not stretched by other work on the machine."""
    rows = (text for group in zip(*[of.texts for of in chosen], strict=False) for text in group)
    letters = random.Random(1).choices(string.ascii_lowercase, k=LONG)
    long = {"rows": " ".join(rows)[:LONG], "random letters": "".join(letters)}
    out = {}
    for name, text in long.items():
        taken = []
        for _ in range(_REPEATS):
            began = time.thread_time()
            tokenizer.encode(text, add_special_tokens=False)
            taken.append(time.thread_time() - began)
        out[name] = round(min(taken), 4)
    return out


def markdown(result: dict[str, Any], baselines: Sequence[str]) -> str:
    """A page; the last column says how many tokens the first tokenizer saves against the best of
    ``baselines``."""
    names = list(result["vocabulary"])
    first = names[0]
    lines = [
        "# Tokenizers",
        "",
        f"At most {result['texts']:,} texts of a kind, seed {result['seed']}. Special tokens are "
        f"not counted. `{GENERAL}` is a byte-level BPE of the size of `{first}`, trained on the "
        "prose of the data folder and the topics of Python's documentation, "
        f"{GENERAL_CHARACTERS:,} characters drawn from both.",
        "",
        "Vocabulary: "
        + ", ".join(f"{name} {size:,}" for name, size in result["vocabulary"].items())
        + ".",
    ]
    titles = {
        "tokens_per_character": "Tokens per character",
        "tokens_per_text": "Tokens per text",
        "texts_with_unknown": "Share of texts with an unknown",
        "boundary_f1": "Boundary F1",
    }
    for key, title in titles.items():
        lines += ["", f"## {title}", "", *_table(result, key, names, baselines)]
    lines += ["", "## Processor seconds for 100,000 characters as one text", ""]
    seconds = result["seconds"]
    kinds = list(seconds[first])
    lines += table(["", *names], [[k, *[f"{seconds[n][k]:.3f}" for n in names]] for k in kinds])
    return "\n".join(lines) + "\n"


def _table(
    result: dict[str, Any], key: str, names: Sequence[str], baselines: Sequence[str]
) -> list[str]:
    saves = key == "tokens_per_text"
    rows = []
    for kind, of in result["kinds"].items():
        figures = of["tokenizers"]
        if key in figures[names[0]]:
            cells = [f"{figures[name][key]:.3f}" for name in names]
            if saves:
                best = min(figures[name][key] for name in baselines)
                cells.append(f"{1 - figures[names[0]][key] / best:.1%}")
            rows.append([f"{kind} ({of['texts']:,}, {of['unseen']:,} unseen)", *cells])
    return table(["kind (texts)", *names, *(["fewer than the best"] if saves else [])], rows)
