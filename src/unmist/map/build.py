"""From texts to a finished map."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from unmist.errors import UsageError
from unmist.map import clusters, layout, names, quality
from unmist.map.extra import need
from unmist.map.points import MapPoints, TaskColumn, Texts

if TYPE_CHECKING:
    from unmist.map.table import OldMap
    from unmist.model import Model

LEAST: Final = 10
SAMPLE: Final = 100_000
_SHOWN: Final = 6  # neighbours kept for the page
_PLACED_BY: Final = 10
_CHUNK: Final = 8192


@dataclass(frozen=True)
class Settings:
    """How a map is made.

    Attributes:
        field: field kind of the texts.
        tasks: specialists to ask; they must read that kind.
        sample: points to lay out; the rest is placed beside its neighbours.
        seed: of sampling and layout.
        threads: CPU threads; 0 takes all cores.
    """

    field: str = "hostname"
    tasks: Sequence[str] = ()
    sample: int = SAMPLE
    seed: int = 0
    threads: int = 0


def _silent(_step: str) -> None:
    pass


def build(
    model: "Model",
    texts: Texts,
    settings: Settings,
    *,
    on: "OldMap | None" = None,
    against: "OldMap | None" = None,
    say: Callable[[str], None] = _silent,
) -> MapPoints:
    """Make a map of distinct texts. The same picture for the same arguments and machine.

    Args:
        model: gives vectors and verdicts.
        texts: distinct texts.
        settings: how.
        on: an earlier map on which everything is placed; its points are kept where they are.
        against: an earlier map; what is not in it is marked as new. Known points start from
            their earlier place, so that the picture stays recognisable.
        say: called with the name of each step before it.

    Raises:
        UsageError: fewer than ten distinct texts to lay out, or an earlier map of another model
            or field kind, or the extra ``[map]`` is missing.
    """
    for old in (on, against):
        if old is not None:
            old.require(model.hash, settings.field)
    if on is None and len(texts.texts) < LEAST:
        raise UsageError(
            f"a map needs at least {LEAST} distinct texts to lay out, got {len(texts.texts)}; "
            "give more input, or --place it on an earlier map"
        )
    threads = settings.threads or os.cpu_count() or 1
    need("openTSNE")
    with need("threadpoolctl").threadpool_limits(threads):
        made = (
            _fresh(model, texts, settings, threads, against, say)
            if on is None
            else _onto(model, texts, settings, on, say)
        )
    if against is not None:
        known = against.places()
        made = replace(made, new=np.array([t not in known for t in made.texts.texts], bool))
    return made


def _fresh(
    model: "Model",
    texts: Texts,
    settings: Settings,
    threads: int,
    against: "OldMap | None",
    say: Callable[[str], None],
) -> MapPoints:
    total = len(texts.texts)
    random = np.random.default_rng(settings.seed)
    laid = np.arange(total)
    if total > settings.sample:
        laid = np.sort(random.choice(total, settings.sample, replace=False))
    say(f"vectors of {len(laid):,} texts")
    vectors = _vectors(model, [texts.texts[i] for i in laid], settings.field)
    project = layout.Projection(vectors, min(layout.DIMENSIONS, len(laid), vectors.shape[1]))
    points = project(vectors)
    say("nearest neighbours")
    graph = layout.neighbour_graph(points, min(3 * layout.PERPLEXITY, len(laid) - 1))
    say("layout")
    initial = None if against is None else against.start([texts.texts[i] for i in laid], graph[0])
    xy = layout.frame(
        layout.lay_out(points, graph, seed=settings.seed, threads=threads, initial=initial)
    )
    say("clusters")
    found = clusters.find_clusters(xy)
    say("quality")
    figures = quality.measure(vectors, xy, seed=settings.seed)
    figures["explained_variance"] = project.explained
    all_xy, all_found = np.zeros((total, 2), np.float32), np.full(total, -1, np.int32)
    near = np.zeros((total, min(_SHOWN, graph[0].shape[1])), np.int32)
    all_xy[laid], all_found[laid], near[laid] = xy, found, laid[graph[0][:, : near.shape[1]]]
    rest = np.setdiff1d(np.arange(total), laid)
    if len(rest):
        say(f"placing {len(rest):,} more")
    for start in range(0, len(rest), _CHUNK):
        part = rest[start : start + _CHUNK]
        more = project(_vectors(model, [texts.texts[i] for i in part], settings.field))
        beside = layout.nearest(points, more, min(_PLACED_BY, len(laid)))[0]
        all_xy[part], all_found[part] = (
            layout.place(xy, beside),
            clusters.adopt(found, beside),
        )
        near[part] = laid[beside[:, : near.shape[1]]]
    placed = np.ones(total, bool)
    placed[laid] = False
    return _finish(model, texts, settings, say, all_xy, all_found, near, placed, figures)


def _onto(
    model: "Model", texts: Texts, settings: Settings, on: "OldMap", say: Callable[[str], None]
) -> MapPoints:
    known = on.places()
    fresh = [i for i, text in enumerate(texts.texts) if text not in known]
    joined = on.with_more(texts, fresh)
    total, before = len(joined.texts), len(on.texts.texts)
    say(f"vectors of {total:,} texts")
    vectors = _vectors(model, joined.texts, settings.field)
    base = np.flatnonzero(~on.placed)
    project = layout.Projection(vectors[base], min(layout.DIMENSIONS, len(base), vectors.shape[1]))
    points = project(vectors)
    say(f"placing {total - before:,} texts on {before:,}")
    beside = base[layout.nearest(points[base], points, min(_PLACED_BY, len(base)))[0]]
    more = beside[before:]
    xy = np.concatenate([on.xy, layout.place(on.xy, more)])
    found = np.concatenate([on.clusters, clusters.adopt(on.clusters, more)])
    placed = np.concatenate([on.placed, np.ones(total - before, bool)])
    keep = layout.others(beside, np.arange(total))
    near = beside[keep].reshape(total, -1)[:, :_SHOWN].astype(np.int32)
    made = _finish(
        model, joined, settings, say, xy, found, near, placed, on.quality, kept_names=on.names
    )
    return replace(made, new=np.arange(total) >= before)


def _vectors(model: "Model", texts: Sequence[str], field: str) -> np.ndarray:
    parts = [
        model.embed(texts[start : start + _CHUNK], field) for start in range(0, len(texts), _CHUNK)
    ]
    return np.concatenate(parts)


def _answers(model: "Model", texts: Sequence[str], task: str) -> TaskColumn:
    labels: list[str | None] = []
    said: list[str] = []
    scores: list[float] = []
    for start in range(0, len(texts), _CHUNK):
        for verdict in model.classify(texts[start : start + _CHUNK], task):
            labels.append(verdict.label)
            said.append(verdict.model_label or "")
            scores.append(verdict.model_score or 0.0)
    return TaskColumn(labels, said, np.array(scores, np.float32))


def _finish(
    model: "Model",
    texts: Texts,
    settings: Settings,
    say: Callable[[str], None],
    xy: np.ndarray,
    found: np.ndarray,
    near: np.ndarray,
    placed: np.ndarray,
    figures: dict[str, float],
    kept_names: list[str] | None = None,
) -> MapPoints:
    tasks: dict[str, TaskColumn] = {}
    for task in settings.tasks:
        say(f"verdicts of {task}")
        tasks[task] = _answers(model, texts.texts, task)
    if kept_names is None:
        say("names")
        named = names.name_clusters(
            _terms(model, texts.texts, settings.field), found, [t.labels for t in tasks.values()]
        )
    else:
        named = kept_names
    about: dict[str, Any] = {
        "model_hash": model.hash,
        "field": settings.field,
        "seed": settings.seed,
        "perplexity": layout.PERPLEXITY,
        "dimensions": layout.DIMENSIONS,
    }
    return MapPoints(texts, xy, found, named, near, tasks, placed, None, dict(figures), about)


def _terms(model: "Model", texts: Sequence[str], field: str) -> list[set[str]]:
    found: list[set[str]] = []
    for start in range(0, len(texts), _CHUNK):
        part = texts[start : start + _CHUNK]
        for text, ids in zip(part, model.tokenizer.encode_batch(part), strict=True):
            pieces = (model.tokenizer.piece(i) for i in ids)
            found.append(names.terms(text, pieces, field))
    return found
