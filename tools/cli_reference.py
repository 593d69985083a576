"""The reference of the command line, from the tree of its commands.

Everything is taken from click's own objects and written by hand here, because the text of click's
help pages differs between its releases.
"""

import inspect
from collections.abc import Iterator

import click

HEAD = """\
# Command line

<!-- Written by tools/make_reference.py from the commands themselves; do not edit. -->

The flags of every verb. What they are for is in the [how-to pages](../README.md#how-to); what
comes out is in [verdict.md](verdict.md), [outputs.md](outputs.md) and [formats.md](formats.md);
exit codes are in [verdict.md](verdict.md#exit-codes).
"""


def page(root: click.Command, name: str) -> str:
    """The whole page."""
    found = list(verbs(root, name))
    contents = "\n".join(f"- [`{title}`](#{anchor(title)}): {short(c)}" for title, c in found)
    return "\n".join([HEAD, contents, "", *(section(title, c) for title, c in found)])


def verbs(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Every command that does something, with the words that call it, in the order of help."""
    if not isinstance(command, click.Group):
        yield name, command
        return
    context = click.Context(command, info_name=name)
    for word in command.list_commands(context):
        below = command.get_command(context, word)
        if below is not None:
            yield from verbs(below, f"{name} {word}")


def anchor(title: str) -> str:
    """The anchor that GitHub gives to a heading in code."""
    return title.replace(" ", "-")


def short(command: click.Command) -> str:
    """The one line that the help page has of a command."""
    return (command.short_help or command.get_short_help_str(200)).rstrip(".")


def section(title: str, command: click.Command) -> str:
    """One command: how it is called, what it says of itself, and its parameters."""
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    options = [p for p in command.params if isinstance(p, click.Option) and not p.hidden]
    usage = " ".join(["Usage:", title, "[OPTIONS]", *(_argument(p) for p in arguments)])
    parts = [f"## `{title}`", f"```text\n{usage}\n```", _prose(command.help or "")]
    rows = [f"| {_flags(option)} | {_about(option)} |" for option in options]
    if rows:
        parts.append("\n".join(["| option | |", "|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def _argument(argument: click.Argument) -> str:
    name = (argument.metavar or (argument.name or "").upper()).strip("[].")
    shown = f"{name}..." if argument.nargs == -1 else name
    return shown if argument.required else f"[{shown}]"


def _prose(text: str) -> str:
    """Help as paragraphs; what click must not wrap follows a line of a backspace alone."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(p.replace("\b\n", "").replace("``", "`") for p in paragraphs)


def _flags(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in sorted(option.opts, key=lambda n: -len(n)))
    if option.secondary_opts:
        names += ", " + ", ".join(f"`{name}`" for name in option.secondary_opts)
    if option.is_flag:
        return names
    kind = option.type
    if isinstance(kind, click.Choice):
        return f"{names} {_cell(' | '.join(map(str, kind.choices)))}"
    return f"{names} `{option.metavar or kind.name.upper().replace(' RANGE', '')}`"


def _about(option: click.Option) -> str:
    said = [_cell(option.help or "")]
    if option.required:
        said.append("Required.")
    if option.multiple and "again" not in said[0] and "repeatable" not in said[0]:
        said.append("May be given again.")
    if isinstance(option.type, click.IntRange | click.FloatRange):
        said.append(f"{_range(option.type)}.")
    if option.show_default and isinstance(option.default, str | int | float):
        said.append(f"Default: {_cell(str(option.default))}.")
    if option.envvar:
        said.append(f"Environment: `{option.envvar}`.")
    return " ".join(part for part in said if part)


def _range(kind: click.IntRange | click.FloatRange) -> str:
    low = "" if kind.min is None else f"{'above' if kind.min_open else 'at least'} {kind.min}"
    high = "" if kind.max is None else f"{'below' if kind.max_open else 'at most'} {kind.max}"
    text = ", ".join(part for part in (low, high) if part)
    return text[:1].upper() + text[1:]


def _cell(text: str) -> str:
    """Text that a cell of a table can hold."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
