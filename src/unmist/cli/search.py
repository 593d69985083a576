"""``unmist search``: the rows of an index nearest to a text, or most like a set of examples."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unmist.cli.inputs import adapter_option, model_option, open_model
from unmist.cli.reports import BadRows
from unmist.errors import UsageError

if TYPE_CHECKING:
    from unmist.search import Filter, Index


@click.command("search", short_help="Rows of an index nearest to a text, or like examples.")
@click.argument("folder", metavar="INDEX", type=click.Path(path_type=Path))
@click.argument("query", required=False)
@click.option(
    "--like",
    metavar="FILE",
    help="Look for what is like the rows of FILE, which themselves are left out.",
)
@click.option(
    "-k",
    "count",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    metavar="N",
    help="Texts to find for each query.",
)
@click.option("--label", "labels", multiple=True, metavar="L", help="Only rows of this label.")
@click.option(
    "--source", "sources", multiple=True, metavar="S", help="Only of this input; * and ? match."
)
@click.option("--since", metavar="T", help="Only from this time on: ISO 8601, UTC without a zone.")
@click.option("--until", metavar="T", help="Only before this time.")
@click.option(
    "--where", "where", multiple=True, metavar="C=V", help="Only rows whose column C is V."
)
@click.option("--rows", "all_rows", is_flag=True, help="Every row of a text, not the first only.")
@click.option("--jsonl", "as_jsonl", is_flag=True, help="One JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--no-verify", is_flag=True, help="Do not compare the index with its SHA-256.")
@model_option
@adapter_option
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="CPU threads.")
@click.pass_context
def command(
    ctx: click.Context,
    folder: Path,
    query: str | None,
    like: str | None,
    count: int,
    labels: tuple[str, ...],
    sources: tuple[str, ...],
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
    all_rows: bool,
    as_jsonl: bool,
    as_json: bool,
    no_verify: bool,
    model_path: Path | None,
    adapters: tuple[Path, ...],
    threads: int | None,
) -> None:
    """Find the texts of INDEX nearest to QUERY ('-': one a line from standard input).

    Equal texts are one answer, with the first of their rows. Options of one kind that are given
    again are alternatives; those of different kinds must all hold.
    """
    if (query is None) == (like is None):
        raise click.UsageError("Give a QUERY ('-' for standard input), or --like FILE.")
    if as_json and as_jsonl:
        raise click.UsageError("--json and --jsonl exclude each other.")
    wanted = _filter(labels, sources, since, until, where)
    from unmist.search import Index

    index = Index(folder, verify=not no_verify)
    model = open_model(model_path, threads, adapters)
    index.require_model(model)
    field, bad = index.manifest.field, BadRows()
    texts = _texts(like if like is not None else query or "", field, bad, is_file=like is not None)
    answers: Iterator[dict[str, Any]]
    if like is not None:
        examples = list(texts)
        found = index.like(model.embed(examples, field), count, wanted, known=examples)
        answers = iter([_liked(index, found, like, examples, all_rows=all_rows)])
    else:
        answers = (
            _answer(index, text, model.embed([text], field)[0], count, wanted, all_rows=all_rows)
            for text in texts
        )
    _print(answers, "json" if as_json else "jsonl" if as_jsonl else "table")
    bad.close()
    ctx.exit(1 if bad.count else 0)


def _filter(
    labels: tuple[str, ...],
    sources: tuple[str, ...],
    since: str | None,
    until: str | None,
    where: tuple[str, ...],
) -> Filter:
    from unmist.search import Filter, parse_time

    bounds = []
    for name, text in (("--since", since), ("--until", until)):
        time = None if text is None else parse_time(text)
        if text is not None and time is None:
            raise UsageError(f"{name} {text!r} is no time; write it like 2026-01-31T12:00:00")
        bounds.append(time)
    pairs = []
    for one in where:
        name, equals, value = one.partition("=")
        if not equals:
            raise UsageError(f"--where {one!r}: expected COLUMN=VALUE")
        pairs.append((name, value))
    return Filter(labels, sources, bounds[0], bounds[1], tuple(pairs))


def _texts(given: str, field: str, bad: BadRows, *, is_file: bool) -> Iterator[str]:
    """The queries or examples: the one given, or the rows of a file."""
    if not is_file and given != "-":
        if not given.strip():
            raise UsageError("an empty QUERY has no neighbours")
        yield given
        return
    from unmist.io import open_rows

    for row in open_rows(given, field=field):
        if row.problem is None:
            yield row.text
        else:
            bad.add(row)


def _answer(
    index: Index, text: str, vector: Any, count: int, wanted: Filter, *, all_rows: bool
) -> dict[str, Any]:
    hits = []
    for hit in index.nearest(vector, count, wanted):
        figures = {"distance": round(hit.distance, 6), "rows": len(hit.rows)}
        hits += _records(index, figures, hit.rows, all_rows=all_rows)
    return {"query": text, "hits": hits}


def _liked(
    index: Index, found: list[Any], like: str, examples: list[str], *, all_rows: bool
) -> dict[str, Any]:
    hits = []
    for one in found:
        figures = {
            "score": round(one.score, 6),
            "best": round(one.best, 6),
            "mean": round(one.mean, 6),
            "example": examples[one.example],
            "rows": len(one.rows),
        }
        hits += _records(index, figures, one.rows, all_rows=all_rows)
    return {"like": like, "examples": len(examples), "hits": hits}


def _records(
    index: Index, figures: dict[str, Any], rows: Any, *, all_rows: bool
) -> list[dict[str, Any]]:
    chosen = rows.tolist() if all_rows else rows[:1].tolist()
    records = zip(chosen, index.records(chosen), strict=True)
    return [figures | {"row": row, "columns": record} for row, record in records]


def _print(answers: Iterator[dict[str, Any]], kind: str) -> None:
    import msgspec

    # Columns may hold what JSON has no form for, such as bytes or decimals.
    encode = msgspec.json.Encoder(enc_hook=str).encode
    if kind == "json":
        sys.stdout.buffer.write(encode(list(answers)) + b"\n")
    elif kind == "jsonl":
        for answer in answers:
            about = {key: answer[key] for key in ("query", "like") if key in answer}
            for hit in answer["hits"]:
                sys.stdout.buffer.write(encode(about | hit) + b"\n")
            sys.stdout.buffer.flush()
    else:
        _table(answers)


def _table(answers: Iterator[dict[str, Any]]) -> None:
    from unmist.cli.tables import fit, standard_output
    from unmist.search.filters import is_label
    from unmist.visible import visible

    stream, first = standard_output(), True
    for answer in answers:
        title = answer.get("query") or f"like {answer['like']}"
        stream.write(("" if first else "\n") + visible(title) + "\n")
        first = False
        width = max((len(hit["columns"]["text"]) for hit in answer["hits"]), default=0)
        for hit in answer["hits"]:
            columns = hit["columns"]
            figure = f"{hit.get('distance', hit.get('score')):.4f}"
            text = fit(visible(columns["text"]), min(width, 60), cut=False)
            cells = [figure, text, f"x{hit['rows']:,}" if hit["rows"] > 1 else ""]
            cells += [visible(v) for n, v in columns.items() if is_label(n) and v]
            cells += [f"~ {visible(hit['example'])}"] if "example" in hit else []
            cells.append(visible(f"{columns['source']}:{columns['line']}"))
            stream.write("  " + "  ".join(cell for cell in cells if cell) + "\n")
        stream.flush()
