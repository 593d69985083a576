"""Train the tokenizer: ``python -m unmist.train.tokenizer --data DATA -o tokenizer.json``."""

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from unmist.text.fields import SPECIAL_TOKENS
from unmist.text.normalize import normalize
from unmist.text.tokenizer import byte_alphabet, split_before_separators
from unmist.train import corpus

VOCABULARY = 16_384
MAX_PIECE = 24  # characters; longer pieces only memorise single names


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


def sample(data: Path, fields: list[str], per_source: int, seed: int) -> Iterator[str]:
    """At most ``per_source`` items of each pretraining file, normalised, the same for a seed."""
    for field in fields:
        for path in corpus.sources(data, field):
            items = list(corpus.lines(path))
            if len(items) > per_source:
                items = random.Random(seed).sample(items, per_source)
            for item in items:
                yield str(normalize(item, field))


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with pretrain/")
    parser.add_argument("--fields", default="hostname,url")
    parser.add_argument("--per-source", type=int, default=250_000)
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args()
    texts = sample(args.data, args.fields.split(","), args.per_source, args.seed)
    train(texts, args.vocabulary).save(str(args.output))


if __name__ == "__main__":
    main()
