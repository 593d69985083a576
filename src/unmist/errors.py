"""Every error that unmist raises on purpose, in one tree.

    UnmistError
    +-- UsageError       the call asks for something that does not exist (task, column, flag)
    +-- InputError       a whole input cannot be read (missing, a directory, truncated, no header)
    +-- OutputError      the output cannot be written
    +-- ModelError       a model folder is not what its manifest says, or is not safe to open

A message names the thing, what was expected and the next step. A single bad *row* is never an
exception: it becomes a :class:`unmist.verdict.Verdict` with status ``bad_input``.
"""


class UnmistError(Exception):
    """Root of the tree. The command line prints its message as one line and exits with 2."""


class UsageError(UnmistError):
    """The call asks for something that does not exist; the message lists what does."""


class InputError(UnmistError):
    """An input as a whole cannot be read. Carries where reading stopped.

    Args:
        message: what is wrong and what to do.
        source: file name, or ``-`` for standard input.
        line: 1-based line at which reading stopped; 0 when it never started.
    """

    def __init__(self, message: str, source: str, line: int = 0) -> None:
        where = f"{source}:{line}" if line else source
        super().__init__(f"{where}: {message}")
        self.source = source
        self.line = line


class OutputError(UnmistError):
    """The output cannot be written; nothing was left half-written under its final name."""


class ModelError(UnmistError):
    """A model folder is incomplete, altered, or holds something that must not be opened."""
