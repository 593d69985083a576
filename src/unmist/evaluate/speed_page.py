"""What :mod:`unmist.evaluate.speed` measured, as a page of Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from unmist.evaluate.compare.pages import markdown_table

MATRIX: Final = "matrix products"  # who stands for the machine among the contenders

_HEAD = """# Speed beside what people would use instead

`{command}`, {date}, {machine}; medians of {rounds} rounds in which contenders take turns, each
in a process of its own. Text in, vectors or verdicts out, tokenising included, no answer cached.
*rows/s* is one call with all rows ({rows}); *times* is that over `{base}` in the same
run. Milliseconds are of one request of so many rows. *start* is from the process to the model's
being loaded, with all imports. *of the limit* is the arithmetic of the encoder's layers at batch
256 over what 2048-cube matrix products reach in the same run, in the precision of the engine.
"""
_COLUMNS = (
    "", "rows/s", "times", "1: p50 ms", "p99", "32: p50 ms", "p99", "256: p50 ms", "p99",
    "rows/s at 256", "of the limit", "start s", "first ms", "peak MB", "disk MB",
)  # fmt: skip


def page(whole: Mapping[str, Any]) -> str:
    """The whole page; the first peer is what the others are multiples of."""
    entries: Sequence[Mapping[str, Any]] = whole["entries"]
    names = list(dict.fromkeys(entry["contender"] for entry in entries))
    base = next((name for name in names if name.endswith(" openvino")), names[-1])
    rows = ", ".join(f"{count:,} {field}s" for field, count in whole["rows"].items())
    said = {key: whole[key] for key in ("command", "date", "machine", "rounds")}
    parts = [_HEAD.format(**said, rows=rows, base=base)]
    keys = dict.fromkeys((entry["field"], entry["threads"]) for entry in entries)
    for field, threads in keys:
        mine = {
            entry["contender"]: entry
            for entry in entries
            if (entry["field"], entry["threads"]) == (field, threads)
        }
        limit = mine.pop(MATRIX, {})
        parts.append(f"## {field}s, {threads} thread{'s' if threads > 1 else ''}\n")
        against = mine[base]["rows_per_second"]
        lines = [_line(name, entry, against, limit) for name, entry in mine.items()]
        parts += [*markdown_table(_COLUMNS, lines), ""]
        if limit:
            rates = ", ".join(f"{kind} {limit[kind] / 1e12:.2f}" for kind in ("f32", "bf16"))
            parts.append(f"Matrix products: {rates} TFLOP/s.\n")
    return "\n".join(parts)


def share_of_limit(entry: Mapping[str, Any], limit: Mapping[str, Any]) -> float | None:
    """Arithmetic a second of the layers at batch 256 over the rate of matrix products."""
    if "flops_per_row" not in entry or not limit:
        return None
    rate: float = limit["bf16" if "bf16" in entry["engine"] else "f32"]
    return float(entry["batches"]["256"]["rows_per_second"] * entry["flops_per_row"] / rate)


def _line(
    name: str, entry: Mapping[str, Any], against: float, limit: Mapping[str, Any]
) -> list[str]:
    batches = entry["batches"]
    times = [
        f"{batches[size][figure]:.2f}"
        for size in ("1", "32", "256")
        for figure in ("p50_ms", "p99_ms")
    ]
    share = share_of_limit(entry, limit)
    return [
        name,
        f"{entry['rows_per_second']:,.0f}",
        f"{entry['rows_per_second'] / against:.2f}",
        *times,
        f"{batches['256']['rows_per_second']:,.0f}",
        "-" if share is None else f"{share:.0%}",
        f"{entry['start_seconds']:.2f}",
        f"{entry['first_request_ms']:.1f}",
        f"{entry['peak_memory_mb']:,.0f}",
        "-" if entry["disk_mb"] is None else f"{entry['disk_mb']:.1f}",
    ]
