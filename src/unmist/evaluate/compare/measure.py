"""Let contenders answer, keep what they said, and set it side by side."""

import gc
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final

import numpy as np

from unmist.errors import UsageError
from unmist.evaluate import bootstrap
from unmist.evaluate.compare.contenders import Contender
from unmist.evaluate.compare.rows import TaskData, fingerprint
from unmist.evaluate.compare.store import Store
from unmist.evaluate.machine import machine

ROUNDS: Final = 300
Say = Callable[[str], object]


def run(
    data: TaskData, contenders: Iterable[Contender], seeds: Sequence[int], store: Store, say: Say
) -> dict[str, str]:
    """Every fit that the store lacks, one seed after the other.

    Returns:
        Contenders that could not take part (``model how``), and why.
    """
    absent: dict[str, str] = {}
    known = list(contenders)
    actual = data.numbers(data.test)
    for seed in seeds:
        for one in known:
            name = f"{one.model} {one.how}"
            if name in absent or (seed != seeds[0] and not one.seeded):
                continue
            key = _key(one, data, seed)
            if store.has(key):
                continue
            try:
                answer = one.answer(data, seed)
            except UsageError as error:
                absent[name] = str(error)
                say(f"{name}: {error}")
                continue
            accuracy = round(float((answer.predicted == actual).mean()), 4)
            store.add(
                key | answer.figures() | {"accuracy": accuracy, "every": one.every},
                answer.predicted,
            )
            say(f"{data.name}, {name}, seed {seed}: {accuracy} in {answer.seconds} s")
            del answer
            gc.collect()  # an encoder of a hundred million weights may hang in a cycle
    return absent


def _key(one: Contender, data: TaskData, seed: int) -> dict[str, Any]:
    """What a fit was; other weights or other rows make it another one."""
    return {
        "model": one.model,
        "how": one.how,
        "task": data.name,
        "seed": seed,
        "weights": one.weights(),
        "data": fingerprint(data)[:16],
    }


def compared(data: TaskData, store: Store) -> list[dict[str, Any]]:
    """Each contender of a task, its seeds taken together, the smallest first.

    Returns:
        For each: ``model``, ``how``, ``parameters``, ``seeds``, ``cut`` and the figures
        ``accuracy`` and ``macro_f1``, means over its seeds with 95 % intervals over groups;
        ``accuracy_less`` and ``macro_f1_less``: the same less those of each other contender, by
        name (``model how``), on the same draws.
    """
    drawn = bootstrap.weights([row.group for row in data.test], ROUNDS)
    actual = data.numbers(data.test)
    found: list[dict[str, Any]] = []
    draws: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    for name, fits in _together(data.name, store).items():
        said = [store.predicted(fit) for fit in fits]
        right = np.mean([one == actual for one in said], axis=0)
        f1 = [bootstrap.macro_f1(drawn, actual, one, len(data.labels)) for one in said]
        draws[name] = bootstrap.mean(drawn, right), np.mean(f1, axis=0)
        found.append(
            {
                "name": name,
                "model": fits[0]["model"],
                "how": fits[0]["how"],
                "every": fits[0]["every"],
                "parameters": fits[0]["parameters"],
                "trained": fits[0]["trained"],
                "seeds": len(fits),
                "cut": any(fit["cut"] for fit in fits),
                "seconds": round(float(np.mean([fit["seconds"] for fit in fits])), 1),
                "examples": _mean([fit["examples"] for fit in fits]),
                "accuracy": bootstrap.figure(draws[name][0]),
                "macro_f1": bootstrap.figure(draws[name][1]),
            }
        )
    for one in found:
        for place, measure in enumerate(("accuracy", "macro_f1")):
            mine = draws[one["name"]][place]
            one[f"{measure}_less"] = {
                other: bootstrap.figure(mine - theirs[place])
                for other, theirs in draws.items()
                if other != one["name"]
            }
    return sorted(found, key=lambda one: (one["parameters"], one["name"]))


def verdict(less: bootstrap.Figure) -> str:
    """``win`` where a difference's whole interval is above zero, ``loss`` below, else ``tie``."""
    low, high = less["low"], less["high"]
    if low is not None and low > 0:
        return "win"
    return "loss" if high is not None and high < 0 else "tie"


def smallest_winner(found: Sequence[dict[str, Any]]) -> str | None:
    """Name of the smallest contender that beats every larger one in accuracy, of which there must
    be one; None where there is none."""
    for one in sorted(found, key=lambda one: one["parameters"]):
        larger = [other for other in found if other["parameters"] > one["parameters"]]
        if larger and all(
            verdict(one["accuracy_less"][other["name"]]) == "win" for other in larger
        ):
            return str(one["name"])
    return None


def circumstances(threads: int) -> dict[str, Any]:
    """When and where: said beside figures, never part of the settings of a fit."""
    return {
        "date": date.today().isoformat(),
        "machine": machine(),
        "threads": threads,
        "load_average": round(os.getloadavg()[0], 2),
    }


def _together(task: str, store: Store) -> dict[str, list[dict[str, Any]]]:
    by_name: dict[str, list[dict[str, Any]]] = {}
    for fit in store.fits:
        if fit["task"] == task and store.has(fit):
            by_name.setdefault(f"{fit['model']} {fit['how']}", []).append(fit)
    return by_name


def _mean(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return round(float(np.mean(known))) if known else None
