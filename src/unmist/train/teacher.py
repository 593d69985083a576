"""Soft targets from the character n-gram classifier: what it knows, the encoder shall know too.

A linear classifier on character n-grams and an encoder are wrong about different names, so each row
of a mixture is also asked what the n-gram classifier would say. Rows of the task's own training
split are answered by a classifier that was trained without them (five folds, a registrable domain
in one fold), the others by one trained on the whole split.

::

    python -m unmist.train.teacher host-category --mixture mixture.safetensors \
        --tokenizer tokenizer.json -o soft.safetensors

Source: Hinton et al., "Distilling the Knowledge in a Neural Network", arXiv 1503.02531.
"""

import argparse
import zlib
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors.numpy import save_file

from unmist.labelled.ngram import NgramClassifier
from unmist.text import Tokenizer
from unmist.train import holdout
from unmist.train.mixture import Mixture, Part

FOLDS: Final = 5
_CHUNK: Final = 50_000


def _answers(teacher: NgramClassifier, texts: list[str]) -> np.ndarray:
    parts = [teacher.probabilities(texts[i : i + _CHUNK]) for i in range(0, len(texts), _CHUNK)]
    return np.concatenate([part.astype(np.float16) for part in parts])


def soft_targets(
    mixture: Mixture, tokenizer: Tokenizer, task: str, per_source: int, seed: int = 1
) -> dict[str, np.ndarray]:
    """Answers for every task row and up to ``per_source`` rows of each pretraining file.

    Returns:
        ``rows`` int64 [n], row numbers in the mixture, and ``probabilities`` float16 [n, labels]
        in the order of the question's labels.
    """
    own = next(part for part in mixture.parts if part.name == task)
    texts = mixture.texts(np.arange(own.start, own.stop), tokenizer)
    labels = mixture.labels[own.start : own.stop] - own.first
    groups = holdout.kin(texts, own.field)
    folds = np.array([zlib.crc32(group.encode()) % FOLDS for group in groups])
    answers = np.empty((len(texts), own.count), np.float16)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        teacher = NgramClassifier([texts[i] for i in outside], labels[outside].tolist(), seed)
        answers[inside] = _answers(teacher, [texts[i] for i in inside])
    teacher = NgramClassifier(texts, labels.tolist(), seed)
    rows = [np.arange(own.start, own.stop), *_others(mixture, own, per_source)]
    answered = [answers, *(_answers(teacher, mixture.texts(r, tokenizer)) for r in rows[1:])]
    return {"rows": np.concatenate(rows), "probabilities": np.concatenate(answered)}


def _others(mixture: Mixture, own: Part, per_source: int) -> list[np.ndarray]:
    kin = [part for part in mixture.parts if part.field == own.field and part.name != own.name]
    return [
        np.arange(
            part.start,
            part.stop,
            1 if part.task else max((part.stop - part.start) // per_source, 1),
        )
        for part in kin
        if part.stop > part.start
    ]


def main(argv: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("task")
    parser.add_argument("--mixture", type=Path, required=True)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--per-source", type=int, default=60_000)
    parser.add_argument("-o", "--output", type=Path, required=True)
    args = parser.parse_args(argv)
    mixture = Mixture(args.mixture)
    arrays: dict[str, Any] = soft_targets(
        mixture, Tokenizer(args.tokenizer), args.task, args.per_source
    )
    save_file(arrays, args.output, {"task": args.task})
    print(f"{len(arrays['rows'])} rows")


if __name__ == "__main__":
    main()
