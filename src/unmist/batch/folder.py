"""The job folder: one writer at a time, one job, and nothing of anyone else's."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from unmist.batch.disk import output_error
from unmist.batch.manifest import Manifest, Part
from unmist.batch.plan import PartFormat, Plan, differences
from unmist.errors import OutputError, UsageError
from unmist.io import AtomicFile

JOB: Final = "job.json"
LOCK: Final = "lock"
SUMMARY: Final = "summary.json"


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder, made if need be, for one process. The kernel lets go of it after a kill.

    Raises:
        OutputError: another process holds it (its id is named), or it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise output_error(folder, error) from None
    with open(descriptor, "r+b", buffering=0) as file:
        if not _try_lock(descriptor):
            holder = file.read(32).decode(errors="replace").strip() or "unknown"
            raise OutputError(
                f"{folder}: another unmist run writes here (process {holder}); "
                "wait for it, stop it, or choose another -o"
            )
        try:
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        except OSError as error:
            raise output_error(folder / LOCK, error) from None
        yield


def _try_lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:
        raise OutputError("unmist run needs file locks of POSIX, which are not here") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise OutputError(f"the output folder cannot be locked ({error.strerror})") from None
    return True


def open_job(folder: Path, plan: Plan) -> Manifest:
    """The manifest of a job, new or gone on with. The folder must be locked.

    Raises:
        UsageError: the folder holds another job (what differs is named) or other files, or a
            finished part is gone.
        OutputError: the folder cannot be read or written.
    """
    try:
        names = set(os.listdir(folder))
        old = (folder / JOB).read_bytes() if JOB in names else None
    except OSError as error:
        raise output_error(folder, error) from None
    if old is None:
        _require_empty(folder, names)
        with AtomicFile(folder / JOB) as file:
            file.write(msgspec.json.format(msgspec.json.encode(plan)) + b"\n")
    else:
        _require_same(folder, old, plan)
    for name in names:
        if _is_temporary(name):
            with contextlib.suppress(OSError):
                os.unlink(folder / name)
    manifest = Manifest(folder)
    for part in manifest.parts:
        _require_part(part_path(folder, part.part, plan.settings.to), part)
    return manifest


def part_path(folder: Path, number: int, to: PartFormat) -> Path:
    """Where a part is."""
    return folder / f"part-{number:06d}.{to}"


def dead_path(folder: Path, number: int) -> Path:
    """Where the dead letters of a part are, if it has any."""
    return folder / f"dead-{number:06d}.jsonl"


def _is_temporary(name: str) -> bool:
    ours = (".part-", ".dead-", f".{JOB}.", f".{SUMMARY}.")
    return name.startswith(ours) and name.endswith(".tmp")


def _require_empty(folder: Path, names: set[str]) -> None:
    foreign = sorted(name for name in names if name != LOCK and not _is_temporary(name))
    if foreign:
        message = f"holds other files ({foreign[0]!r}) and no job; choose a new or empty folder"
        raise UsageError(f"{folder}: {message}")


def _require_same(folder: Path, old: bytes, plan: Plan) -> None:
    try:
        was = msgspec.json.decode(old, type=Plan)
    except (msgspec.DecodeError, UnicodeDecodeError):
        message = f"{JOB} is not one of unmist's; choose a new or empty folder"
        raise UsageError(f"{folder}: {message}") from None
    found = differences(was, plan)
    if found:
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        raise UsageError(
            f"{folder}: holds another job: {'; '.join(found[:5])}{more}. "
            "Repeat the command that began it, or choose another -o"
        )


def _require_part(path: Path, part: Part) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        size = -1
    if size != part.bytes:
        what = "is gone" if size < 0 else f"has {size:,} bytes instead of {part.bytes:,}"
        raise UsageError(f"{path}: the finished part {what}; restore it, or choose another -o")
