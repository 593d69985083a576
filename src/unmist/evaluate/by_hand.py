"""What rows written by hand are worth to character n-grams, and to the specialists that ship.

::

    python -m unmist.evaluate.by_hand --data DATA -o docs/benchmarks/by-hand.json

A specialist that has learnt such rows (:mod:`unmist.train.written`) has more to go by than the
floor of its task, which knows the training split alone. So the same classifier learns from both
here, and from the written rows alone, which says how much of a task is general knowledge.

Well-known host names whose registrable domain the tasks' rule holds out are learnt by nobody here,
and are names as a user meets them; so specialists are asked about those, too.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

import unmist
from unmist.artifact import TaskCard, layout
from unmist.evaluate.compare.pages import write_json, write_text
from unmist.evaluate.probes.report import table
from unmist.labelled.ngram import NgramClassifier, scores
from unmist.model import Model
from unmist.train import corpus, written
from unmist.train.corpus import Example

SIZES: Final = ("small", "edge")
LEARNT: Final = ("train", "train and written", "written")
NAMES: Final = "host-category"
_SHARES: Final = ("right", "answered", "answered_right")
NEAR: Final = 0.8  # cosine of character 3- to 5-grams from which on two texts are nearly one
_MOST: Final = 2_000  # rows of test, and ten times as many others, that are compared


def measure(data: Path, task: str, specialists: dict[str, TaskCard], each: int) -> dict[str, Any]:
    """Macro-F1 on test of n-grams that learnt from each of :data:`LEARNT`, and of specialists; and
    how much of test stands nearly so among the rows learnt from.

    Args:
        data: the data folder.
        task: one of its tasks for which rows are written.
        specialists: their cards, by the name of their model.
        each: times each template is filled.
    """
    train, test = corpus.split(data, task, "train"), corpus.split(data, task, "test")
    made = written.learnable(data, task, 1, each, {row.label for row in train})
    learnt = {"train": train, "train and written": [*train, *made], "written": made}
    return {
        "rows": {"train": len(train), "written": len(made), "test": len(test)},
        "near": {"train": _near(test, train), "written": _near(test, made)},
        "ngrams": {name: _ngrams(rows, test) for name, rows in learnt.items()},
        "specialists": {
            name: card.scores["test"]["macro_f1"] for name, card in specialists.items()
        },
    }


def well_known(model: Model) -> dict[str, float | int]:
    """What the specialist for host names says of written names on held-out registrable domains.

    Returns:
        ``labelled`` and ``none``, numbers of names that bear a label and that bear none; shares of
        the labelled that are ``right`` (whether answered or not) and ``answered``, and of these
        ``answered_right``; and of the others that get a label, ``none_answered``.
    """
    _, held = written.by_domain(written.rows(NAMES, 1, 1))
    said = model.classify([row.text for row in held], NAMES)
    answered = np.array([verdict.status == "ok" for verdict in said])
    right = np.array([v.model_label == row.label for v, row in zip(said, held, strict=True)])
    bears = np.array([row.label != corpus.OUTSIDE for row in held])
    shares = {
        "right": right[bears],
        "answered": answered[bears],
        "answered_right": right[bears & answered],
        "none_answered": answered[~bears],
    }
    counts: dict[str, float | int] = {"labelled": int(bears.sum()), "none": int((~bears).sum())}
    return counts | {name: round(float(share.mean()), 4) for name, share in shares.items()}


def _near(test: Sequence[Example], rows: Sequence[Example]) -> float:
    """Share of the test rows beside which one of ``rows`` says nearly the same."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    asked = [row.text for row in test[:_MOST]]
    others = [row.text for row in rows[: 10 * _MOST]]
    vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(3, 5), sublinear_tf=True)
    these, those = vectorizer.fit_transform(asked), vectorizer.transform(others)
    steps = range(0, len(asked), 200)
    nearest = [(these[i : i + 200] @ those.T).max(axis=1).toarray().ravel() for i in steps]
    return round(float((np.concatenate(nearest) >= NEAR).mean()), 4)


def _ngrams(train: Sequence[Example], test: Sequence[Example]) -> float:
    model = NgramClassifier([row.text for row in train], [row.label for row in train])
    return scores(model, test)["macro_f1"]


def markdown(result: dict[str, Any]) -> str:
    """The page of what :func:`main` measures."""
    head = [
        "task",
        "training rows",
        "rows by hand",
        "training rows near test",
        "rows by hand near test",
        *(f"n-grams: {name}" for name in LEARNT),
        *SIZES,
    ]
    rows = [
        [
            task,
            f"{said['rows']['train']:,}",
            f"{said['rows']['written']:,}",
            *(f"{said['near'][name]:.1%}" for name in ("train", "written")),
            *(f"{said['ngrams'][name]:.3f}" for name in LEARNT),
            *(f"{said['specialists'][s]:.3f}" if s in said["specialists"] else "-" for s in SIZES),
        ]
        for task, said in result["tasks"].items()
    ]
    lines = [
        "# What rows written by hand are worth",
        "",
        "Macro-F1 on test of a linear classifier on character 1- to 5-grams that has learnt the "
        "training split, that and the written rows, or these alone; and of the specialists that "
        "ship, which have learnt both. No written row equals one of dev or test but for case, "
        "digits and white space; no written host name is of a registrable domain held out. *Near "
        f"test* is the share of test rows that have a row beside them with a cosine of {NEAR} or "
        "more (character 3- to 5-grams, weighed by rarity in test).",
        "",
        *table(head, rows),
        "",
        "## Well-known host names",
        "",
        f"Written names on held-out registrable domains, asked of `{NAMES}`.",
        "",
        *table(
            [
                "",
                "names with a label",
                "right",
                "answered",
                "right there",
                "names of none",
                "given a label",
            ],
            [
                [
                    size,
                    f"{one['labelled']}",
                    *(f"{one[k]:.1%}" for k in _SHARES),
                    f"{one['none']}",
                    f"{one['none_answered']:.1%}",
                ]
                for size, one in result["well_known"].items()
            ],
        ),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="data folder with tasks/")
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON; a page beside it")
    args = parser.parse_args()
    models = {size: unmist.load(size) for size in SIZES}
    result: dict[str, Any] = {"tasks": {}}
    for task in written.tasks():
        of_task = {size: model.card(task) for size, model in models.items()}
        card = layout.adapter_folder(models[SIZES[0]].path, task) / layout.TASK
        each = json.loads(card.read_text("utf-8"))["training"]["recipe"]["written"]
        result["tasks"][task] = measure(args.data, task, of_task, each)
        print(task, result["tasks"][task], flush=True)
    result["well_known"] = {size: well_known(model) for size, model in models.items()}
    write_json(args.output, result)
    write_text(args.output.with_suffix(".md"), markdown(result))


if __name__ == "__main__":
    main()
