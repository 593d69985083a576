"""The manifest: which files a model folder holds, and their SHA-256."""

import hashlib
import stat
from collections.abc import Mapping
from pathlib import Path

import msgspec

from unmist.artifact import layout
from unmist.errors import ModelError
from unmist.io import AtomicFile

FORMAT = 1
_MAX_JSON = 64 * 2**20
_NEXT = "fetch the folder again from where it came"


class FileEntry(msgspec.Struct, frozen=True):
    """Size in bytes and hex SHA-256 of one file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` maps a path relative to the folder, with ``/``, to its entry."""

    format: int
    name: str
    version: str
    files: dict[str, FileEntry]


def write(folder: Path, name: str, version: str) -> Manifest:
    """Write ``manifest.json`` for what lies in the folder, atomically.

    Raises:
        ModelError: the folder holds something that does not belong in a model folder.
    """
    files = {path: _entry(folder / path) for path in _present(folder)}
    manifest = Manifest(format=FORMAT, name=name, version=version, files=files)
    data = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    with AtomicFile(folder / layout.MANIFEST) as file:
        file.write(data)
    return manifest


def verify(folder: Path) -> tuple[Manifest, str]:
    """Check every file against the manifest.

    Returns:
        The manifest, and the model hash: the SHA-256 of the manifest file itself, which covers
        every byte of the model.

    Raises:
        ModelError: naming the first file that is missing, altered, unlisted or of a foreign kind.
    """
    path = folder / layout.MANIFEST
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such folder; name one that holds a {layout.MANIFEST}, as --model DIR, "
            "UNMIST_MODEL or --adapter DIR"
        )
    data = read_json_bytes(path)
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ModelError(f"{path}: not a manifest ({error}); {_NEXT}") from error
    if manifest.format != FORMAT:
        raise ModelError(
            f"{path}: format {manifest.format}, this unmist reads {FORMAT}; upgrade unmist"
        )
    present = _present(folder)
    for name, expected in manifest.files.items():
        if name not in present:
            raise ModelError(f"{folder / name}: listed in the manifest but missing; {_NEXT}")
        if _entry(folder / name) != expected:
            raise ModelError(f"{folder / name}: differs from its manifest; {_NEXT}")
    for name in present:
        if name not in manifest.files:
            raise ModelError(f"{folder / name}: not in the manifest; remove it, or {_NEXT}")
    return manifest, hashlib.sha256(data).hexdigest()


def part_hash(files: Mapping[str, FileEntry], prefix: str = "") -> str:
    """SHA-256 over name and hash of the files below ``prefix``: the same for an adapter wherever
    its folder lies."""
    below = sorted(name for name in files if name.startswith(prefix))
    lines = [f"{name.removeprefix(prefix)} {files[name].sha256}\n" for name in below]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_json_bytes(path: Path) -> bytes:
    """A JSON file's bytes, bounded in size."""
    try:
        about = path.stat()
        if not stat.S_ISREG(about.st_mode):
            raise ModelError(f"{path}: not a plain file; {_NEXT}")
        if about.st_size > _MAX_JSON:
            raise ModelError(f"{path}: larger than {_MAX_JSON} bytes; {_NEXT}")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_NEXT}") from error


def _present(folder: Path) -> list[str]:
    names = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise ModelError(f"{path}: a link; model folders hold plain files only")
        if path.is_dir() or name == layout.MANIFEST:
            continue
        if not path.is_file():
            raise ModelError(f"{path}: a pipe or device; model folders hold plain files only")
        if path.suffix not in layout.SUFFIXES:
            raise ModelError(
                f"{path}: only {' and '.join(layout.SUFFIXES)} files are opened; remove it"
            )
        names.append(name)
    return names


def _entry(path: Path) -> FileEntry:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(bytes=path.stat().st_size, sha256=digest)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}); {_NEXT}") from error
