"""What an index folder holds: the manifest, and files checked against it.

::

    manifest.json         this list: model hash, field kind, counts, SHA-256 of every other file
    rows-0001.parquet     rows: text, source, line, time, vector (its number), labels, own columns
    vectors-0001.f16      vectors of distinct texts, float16 little-endian [n, dim], no header
    keys-0001.bin         16 bytes for each vector, which tell whether a text is known
    near-0002.*           the approximate index, where there are enough vectors for one
    lock                  held while something is added

Files are never changed. Adding writes new ones and then replaces the manifest, so an index is
always the one before or the one after. Files that the manifest does not name are leftovers.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from unmist.artifact.manifest import FileEntry
from unmist.errors import InputError, OutputError
from unmist.io import AtomicFile

NAME: Final = "manifest.json"
LOCK: Final = "lock"
FORMAT: Final = 1
_NEXT: Final = "restore the folder, or index again"
_MAX_BYTES: Final = 64 << 20


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the index is of, and its files.

    Attributes:
        format: of the folder.
        model_hash: of the model that made the vectors; others do not compare.
        field: field kind of the texts.
        dim: width of a vector.
        tasks: specialists whose labels the rows carry.
        rows: rows in all.
        vectors: distinct texts in all.
        trained: vectors that the approximate index was laid out for; 0 without one.
        files: name to size and SHA-256, in the order in which they were added.
    """

    format: int = FORMAT
    model_hash: str
    field: str
    dim: int
    tasks: tuple[str, ...] = ()
    rows: int = 0
    vectors: int = 0
    trained: int = 0
    files: dict[str, FileEntry] = {}

    def names(self, kind: str) -> list[str]:
        """The files whose name begins with ``kind``, in order."""
        return [name for name in self.files if name.startswith(f"{kind}-")]


def write(folder: Path, manifest: Manifest) -> None:
    """Put a manifest in place. Raises ``OutputError``."""
    with AtomicFile(folder / NAME) as file:
        file.write(msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n")


def read(folder: Path, *, verify: bool = True) -> Manifest:
    """The manifest of an index folder, its files checked.

    Args:
        folder: the index.
        verify: also read every file and compare its SHA-256; without it, only sizes.

    Raises:
        InputError: this is no index, or it is damaged; the first file at fault is named.
    """
    path = folder / NAME
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES)
        manifest = msgspec.json.decode(data, type=Manifest)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        message = f"no index here ({NAME}: {reason}); make one with: unmist index INPUT -o DIR"
        raise InputError(message, str(folder)) from None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not a manifest of an index ({error}); {_NEXT}", str(path)) from None
    if manifest.format != FORMAT:
        message = f"format {manifest.format}, this unmist reads {FORMAT}; upgrade unmist"
        raise InputError(message, str(path))
    for name, expected in manifest.files.items():
        _check(folder, name, expected, verify=verify)
    _check_counts(folder, manifest)
    return manifest


def entry(path: Path) -> FileEntry:
    """Size and SHA-256 of a file. Raises ``OSError``."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return FileEntry(bytes=path.stat().st_size, sha256=digest)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold an index folder for one writer. The kernel lets go of it after a kill.

    Raises:
        OutputError: another process holds it, or it cannot be locked.
    """
    try:
        import fcntl
    except ImportError:
        raise OutputError("adding to an index needs file locks of POSIX") from None
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        message = "another process adds to this index; wait for it, or stop it"
        raise OutputError(f"{folder}: {message}") from None
    finally:
        os.close(descriptor)


def _check(folder: Path, name: str, expected: FileEntry, *, verify: bool) -> None:
    path = folder / name
    if os.path.basename(name) != name:
        raise InputError(f"names a file elsewhere ({name!r}); {_NEXT}", str(folder / NAME))
    try:
        size = path.stat().st_size
        found = entry(path) if verify else FileEntry(bytes=size, sha256=expected.sha256)
    except OSError as error:
        raise InputError(f"damaged index: {error.strerror}; {_NEXT}", str(path)) from None
    if found != expected:
        how = f"{size:,} bytes, expected {expected.bytes:,}"
        how = how if size != expected.bytes else "the content differs from its SHA-256"
        raise InputError(f"damaged index: {how}; {_NEXT}", str(path))


def _check_counts(folder: Path, manifest: Manifest) -> None:
    def total(kind: str) -> int:
        return sum(manifest.files[name].bytes for name in manifest.names(kind))

    vectors, dim = manifest.vectors, manifest.dim
    if dim < 1 or total("vectors") != 2 * dim * vectors or total("keys") != 16 * vectors:
        message = f"the files do not hold {vectors:,} vectors of width {dim}; {_NEXT}"
        raise InputError(message, str(folder / NAME))
