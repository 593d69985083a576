"""Train the tokenizer: ``python -m unmist.train.tokenizer --data DATA -o tokenizer.json``."""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from unmist.text.fields import FIELDS, SPECIAL_TOKENS
from unmist.text.normalize import normalize
from unmist.text.tokenizer import byte_alphabet, split_before_separators
from unmist.train import corpus

VOCABULARY = 24_576
MAX_PIECE = 24  # characters; longer pieces only memorise single names

PER_SOURCE = 40_000  # items of a file that are read; a long list of paths says little new
PER_HOSTNAME_SOURCE = 250_000
REPEATS = {
    "url": 3,
    "http": 3,
    "header": 3,
    "command": 3,
    "certificate": 6,
    "cloud": 3,
    "encoded": 6,
}
ENCODED = "encoded-payload"  # pretraining files hold little base64, hex and percent-encoding


def train(texts: Iterator[str], vocabulary: int = VOCABULARY) -> Tokenizer:
    """A byte-level BPE with all special tokens first, then 256 bytes, then merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            split_before_separators(),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[AddedToken(t, special=True, normalized=False) for t in SPECIAL_TOKENS],
        initial_alphabet=byte_alphabet(),
        max_token_length=MAX_PIECE,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def sample(data: Path, fields: list[str], seed: int) -> Iterator[str]:
    """So many items of each pretraining file, normalised, the same for a seed.

    A field kind of little text is read several times over (``REPEATS``): merges are ranked by how
    often a pair occurs, and hostnames alone would take nearly all of them.
    """
    for field in fields:
        per_source = PER_HOSTNAME_SOURCE if field == "hostname" else PER_SOURCE
        for path in corpus.sources(data, field):
            items = list(corpus.lines(path))
            if len(items) > per_source:
                items = random.Random(seed).sample(items, per_source)
            texts = [str(normalize(item, field)) for item in items]
            for _ in range(REPEATS.get(field, 1)):
                yield from texts
    if (data / "tasks" / ENCODED).exists():
        texts = [example.text for example in corpus.split(data, ENCODED, "train")]
        for _ in range(REPEATS["encoded"]):
            yield from texts


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/")
    parser.add_argument("--fields", default=",".join(f for f in FIELDS if f != "other"))
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    texts = sample(args.data, args.fields.split(","), args.seed)
    train(texts, args.vocabulary).save(str(args.output))


if __name__ == "__main__":
    main()
