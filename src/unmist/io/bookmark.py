"""Where following a log was left, in a small JSON file that is replaced whole or not at all."""

import os

import msgspec

from unmist.errors import InputError, UsageError
from unmist.io.pieces import Position
from unmist.io.sinks import AtomicFile

_VERSION = 1


class Bookmark(msgspec.Struct, frozen=True):
    """A place in a log.

    Attributes:
        log: absolute path of the log.
        position: the place in it.
        header: the Zeek header that holds there, bytes that are not ASCII as Latin-1.
        unmist_bookmark: version of this file's layout.
    """

    log: str
    position: Position
    header: str = ""
    unmist_bookmark: int = 0


def load_bookmark(path: str | os.PathLike[str], log: str) -> Bookmark | None:
    """The bookmark of a log, None when there is none yet.

    Raises:
        InputError: the file cannot be read, or is none of ours.
        UsageError: it is of another log.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            bookmark = msgspec.json.decode(file.read(), type=Bookmark)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", name) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        message = f"is no state of 'unmist tail' ({error}); name another file, or remove it"
        raise InputError(message, name) from None
    if bookmark.unmist_bookmark != _VERSION:
        raise InputError("was written by another version of unmist; remove it to start over", name)
    if bookmark.log != _shown(log):
        raise UsageError(f"{name}: is the state of {bookmark.log}; give each log its own --state")
    return bookmark


def save_bookmark(
    path: str | os.PathLike[str], log: str, position: Position, header: bytes
) -> None:
    """Replace the bookmark of a log.

    Raises:
        OutputError: the file cannot be written.
    """
    bookmark = Bookmark(_shown(log), position, header.decode("latin-1"), _VERSION)
    with AtomicFile(path) as file:
        file.write(msgspec.json.encode(bookmark) + b"\n")


def _shown(log: str) -> str:
    # A file name need not be UTF-8, but JSON has to be.
    return os.path.abspath(log).encode(errors="backslashreplace").decode()
