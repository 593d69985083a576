"""Models that were measured before on the same rows, beside what is measured now.

Peers do not change and cost most of the time. That their rows were the same is seen by the n-gram
floor, which learns from the rows alone and is measured anew each time.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from unmist.errors import UsageError
from unmist.evaluate.probes.suite import FLOOR

_NEAR: Final = 0.01  # sums of floats in another order move the floor by less


def read(path: Path) -> dict[str, Any]:
    """An earlier result.

    Raises:
        UsageError: the file is none.
    """
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
        if found["rows"] and found["tasks"] and found["models"]:
            return found
    except (ValueError, KeyError, TypeError):
        pass
    raise UsageError(f"{path}: expected the probes.json of an earlier run")


def with_kept(result: dict[str, Any], earlier: dict[str, Any], name: str) -> dict[str, Any]:
    """A result with those models of an earlier one that it does not have, after its own.

    The interval of a difference needs answers row by row and is given for its own models only.

    Args:
        result: of :func:`unmist.evaluate.probes.run`.
        earlier: likewise, from a file.
        name: that file's, for messages.

    Raises:
        UsageError: the other was measured on other rows.
    """
    if earlier["rows"] != result["rows"] or earlier["tasks"].keys() != result["tasks"].keys():
        raise UsageError(
            f"{name}: measured on {earlier['rows']}, this run on {result['rows']}; "
            "give the same numbers of rows, seed and DATA"
        )
    for task, scores in result["tasks"].items():
        now, then = (part["linear"][FLOOR]["macro_f1"] for part in (scores, earlier["tasks"][task]))
        if abs(now - then) > _NEAR:
            raise UsageError(
                f"{name}: n-grams reach {then} on {task}, now {now}, so its rows were others; "
                "measure its models again"
            )
    kept = [model for model in earlier["models"] if model not in result["models"]]
    for now, then in _by_model(result, earlier):
        floor = {FLOOR: now.pop(FLOOR)} if FLOOR in now else {}
        now |= {model: then[model] for model in kept if model in then} | floor
    return result


def _by_model(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Each part of two results that has an entry a model."""
    for key in ("models", "retrieval", "forms"):
        yield one[key], other[key]
    pairs = [(scores, other["tasks"][task]) for task, scores in one["tasks"].items()]
    for now, then in (*pairs, (one["country"], other["country"]), (one["mean"], other["mean"])):
        for probe in ("linear", "nearest"):
            yield now[probe], then[probe]
