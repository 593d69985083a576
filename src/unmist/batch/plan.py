"""What a job is: its inputs as they are now, and its settings."""

import glob
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from unmist.errors import InputError, UsageError
from unmist.io.stream import STDIN

PART_ROWS: Final = 65_536
HEAD_BYTES: Final = 64 << 10

PartFormat = Literal["parquet", "jsonl"]


class Input(msgspec.Struct, frozen=True, kw_only=True):
    """Identity of one input: when any of it differs, it is another input.

    Attributes:
        path: as given or found; bytes that are not UTF-8 are written ``\\xNN``.
        size: bytes.
        mtime_ns: time of the last change.
        head_sha256: SHA-256 of the first 64 KiB.
        problem: why it cannot be opened, else ``None``; the other values are then 0 and empty.
    """

    path: str
    size: int = 0
    mtime_ns: int = 0
    head_sha256: str = ""
    problem: str | None = None


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What decides the bytes of the parts besides the inputs and the model."""

    tasks: tuple[str, ...]
    column: str | None = None
    format: str = "auto"
    embed: bool = False
    part_rows: int = PART_ROWS
    to: PartFormat = "parquet"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """All that has to be the same for a job to be gone on with; ``job.json``."""

    settings: Settings
    model_hash: str
    inputs: tuple[Input, ...]
    layout: int = 3


def identify(path: str) -> Input:
    """The identity of a file as it is now. Never raises for a path; see ``Input.problem``."""
    shown = display(path)
    try:
        # Without blocking, because opening a pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with open(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return Input(path=shown, problem="not a regular file")
            digest = hashlib.sha256(file.read(HEAD_BYTES)).hexdigest()
    except (OSError, ValueError) as error:
        return Input(path=shown, problem=getattr(error, "strerror", None) or str(error))
    return Input(path=shown, size=status.st_size, mtime_ns=status.st_mtime_ns, head_sha256=digest)


def require_unchanged(path: str, planned: Input) -> None:
    """Raise ``InputError`` if a file is not the one that it was when the job began."""
    now = identify(path)
    if now != planned:
        how = change(planned, now)
        raise InputError(
            f"changed while it was read ({how}); the part in work was thrown away. "
            "Run again with another -o when it is at rest",
            planned.path,
        )


def find_inputs(named: Iterable[str], output: Path) -> list[str]:
    """The files that names, globs and folders stand for: each once, folders and globs sorted.

    Hidden files and folders and the output folder are left out of globs and folders. A name that
    fits nothing is kept, so that it is reported as unreadable.

    Raises:
        UsageError: no file at all, or standard input, which cannot be read again after a stop.
    """
    skipped = os.path.realpath(output)
    found: dict[str, str] = {}
    for name in named:
        for path in _expand(name, skipped):
            found.setdefault(os.path.realpath(path), path)
    if not found:
        raise UsageError("no file in the inputs; name files, or folders with files in them")
    return list(found.values())


def _expand(name: str, skipped: str) -> Iterator[str]:
    if name == STDIN:
        raise UsageError(
            "a job that can be gone on with needs inputs that can be read again; "
            "write standard input to a file first"
        )
    if os.path.isdir(name):
        yield from _walk(name, skipped)
        return
    matches = [] if os.path.lexists(name) else sorted(glob.glob(name, recursive=True))
    if not matches:
        yield name
    for match in matches:
        if os.path.realpath(match) == skipped or _inside(match, skipped):
            continue
        if os.path.isdir(match):
            if "**" not in name:  # which matches what is in the folder, too
                yield from _walk(match, skipped)
        elif os.path.isfile(match):
            yield match


def _walk(folder: str, skipped: str) -> Iterator[str]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and os.path.realpath(os.path.join(parent, name)) != skipped
        )
        if os.path.realpath(parent) == skipped:
            continue
        for file in sorted(files):
            path = os.path.join(parent, file)
            if not file.startswith(".") and os.path.isfile(path):
                yield path


def _inside(path: str, folder: str) -> bool:
    return os.path.realpath(path).startswith(os.path.join(folder, ""))


def display(path: str) -> str:
    """A path that can be written as UTF-8, whatever bytes it has."""
    return path.encode(errors="surrogateescape").decode(errors="backslashreplace")


def differences(was: Plan, now: Plan) -> list[str]:
    """What differs between two plans, a phrase each; empty when it is the same job."""
    found = []
    if was.layout != now.layout:
        found.append(f"layout {was.layout}, now {now.layout}")
    for name in Settings.__struct_fields__:
        one, other = getattr(was.settings, name), getattr(now.settings, name)
        if one != other:
            found.append(f"{name} {_said(one)}, now {_said(other)}")
    if was.model_hash != now.model_hash:
        found.append(f"model {was.model_hash[:12]}, now {now.model_hash[:12]}")
    return found + _input_differences(was.inputs, now.inputs)


def _input_differences(was: Sequence[Input], now: Sequence[Input]) -> list[str]:
    before, after = ({entry.path: entry for entry in inputs} for inputs in (was, now))
    found = [f"input {path} is gone from the command" for path in before if path not in after]
    found += [f"input {path} is new" for path in after if path not in before]
    found += [
        f"input {path} has changed ({change(before[path], entry)})"
        for path, entry in after.items()
        if path in before and before[path] != entry
    ]
    if not found and list(before) != list(after):
        found.append("the inputs are in another order")
    return found


def change(was: Input, now: Input) -> str:
    """How an input differs from what it was."""
    if was.problem != now.problem:
        return f"{was.problem or 'readable'}, now {now.problem or 'readable'}"
    if was.size != now.size:
        return f"{was.size:,} bytes, now {now.size:,}"
    return "other content" if was.head_sha256 != now.head_sha256 else "modified since"


def _said(value: object) -> str:
    if isinstance(value, tuple):
        return "+".join(map(str, value))
    return "none" if value is None else str(value)
