"""The code in pages: fenced blocks, the commands in them, and whether unmist knows these commands.

A block is told what may be done with it by an HTML comment on the line before it:

``<!-- run -->``
    it is run by the tests, in a folder with ``examples/`` and a few inputs (``INPUTS``) in it;
    blocks of a page share the folder.
``<!-- not run: REASON -->``
    it is not, and the reader of the source sees why. Its commands are checked all the same.

Without one, ``python`` is run and ``sh`` is checked only. ::

    python tools/doc_blocks.py docs/tutorial/first-hour.md

runs a page's blocks and shows what they print, for whoever writes the page.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import click

from unmist.cli import main as unmist

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
INPUTS: Final = {
    "dns.log": "dns.log",
    "logs/dns.log": "dns.log",
    "hosts.txt": "hostnames.txt",
}
"""Names that pages use for the user's own files, and the example that stands in for each."""
_FENCE: Final = re.compile(r"```(\w*)$")
_MARK: Final = re.compile(r"<!-- (run|not run: (.+)) -->$")
_COMMENT: Final = re.compile(r"(?:^|(?<=\s))#.*", re.MULTILINE)
_ENDS: Final = frozenset("|;&()")


@dataclass(frozen=True)
class Block:
    """A fenced block. ``run`` is whether the tests run it, ``line`` that of its first line."""

    page: Path
    line: int
    language: str
    text: str
    run: bool

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page in order."""
    before, language, begun, inside = "", "", 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = _FENCE.match(line)
        if begun and line == "```":
            mark = _MARK.match(before)
            run = mark.group(1) == "run" if mark else language == "python"
            yield Block(page, begun, language, "\n".join(inside) + "\n", run)
            begun, before = 0, ""
        elif begun:
            inside.append(line)
        elif fence:
            language, begun, inside = fence.group(1), number + 1, []
        elif line.strip():
            before = line.strip()


def commands(text: str) -> Iterator[list[str]]:
    """The simple commands of a piece of shell: words, without redirections and assignments."""
    text = _COMMENT.sub("", text.replace("\\\n", " "))  # shlex would take the line's end with it
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|;&()<>\n")
    lexer.whitespace, lexer.commenters = " \t", ""
    words: list[str] = []
    redirected = False
    for token in lexer:
        if token[0] in _ENDS or token[0] == "\n":
            yield from [words] if words else []
            words, redirected = [], False
        elif token[0] in "<>":
            redirected = True  # what follows is a file
            words = words[:-1] if words[-1:] in (["1"], ["2"]) else words
        elif redirected:
            redirected = False
        elif words or not re.fullmatch(r"\w+=.*", token, re.DOTALL):
            words.append(token)
    yield from [words] if words else []


def complaint(words: list[str]) -> str | None:
    """What is wrong with a simple command, as far as this repository knows it; None for nothing."""
    if words[0] == "unmist":
        return _of_verb(unmist, words[1:])
    python = words[0].startswith("python") or words[0] == "PYTHON"
    if python and words[1:2] == ["-m"] and words[2].startswith("unmist."):
        return _of_module(words[2], words[3:])
    script = words[1] if python and len(words) > 1 else words[0]
    if script.startswith(("./scripts/", "scripts/", "tools/", "tests/")):
        return None if (ROOT / script).is_file() else f"no file {script}"
    return None


def _of_verb(command: click.Command, words: list[str]) -> str | None:
    while isinstance(command, click.Group):
        context = click.Context(command)
        if not words or words[0] in ("-h", "--help", "--version"):
            return None
        below = command.get_command(context, words[0])
        if below is not None:
            command, words = below, words[1:]
        elif hasattr(command, "default"):  # the verb that may be left out
            command = command.commands[command.default]
        else:
            return f"no verb {words[0]!r}"
    if command.context_settings.get("ignore_unknown_options"):
        return _of_module(f"unmist.evaluate.{command.name}", words)  # it reads the options
    try:
        given, rest, _ = command.make_parser(click.Context(command)).parse_args(list(words))
    except click.UsageError as error:
        return error.format_message()
    for parameter in command.params:
        value = given.get(parameter.name or "")
        missing = not isinstance(value, str | int | list | tuple) and not parameter.envvar
        if parameter.required and missing:
            return f"lacks {parameter.opts[0]}"
        choices = parameter.type.choices if isinstance(parameter.type, click.Choice) else None
        if choices is not None and isinstance(value, str) and value not in choices:
            return f"{parameter.opts[0]} {value}: not of {', '.join(map(str, choices))}"
    return f"too many words: {rest}" if rest else None


def _of_module(name: str, words: list[str]) -> str | None:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        return f"no module {name}"
    source = Path(spec.origin).read_text(encoding="utf-8")
    source += (ROOT / "src/unmist/train/specialist.py").read_text(encoding="utf-8")
    source += (ROOT / "src/unmist/train/pretrain_recipe.py").read_text(encoding="utf-8")
    if "options.add(" in source:
        source += (ROOT / "src/unmist/evaluate/compare/options.py").read_text(encoding="utf-8")
    for word in words:
        flag = word.split("=")[0]
        known = f'"{flag}"' in source or f"    {flag[2:].replace('-', '_')}: " in source
        if flag.startswith("--") and not known:
            return f"{name} has no {flag}"
    return None


def run(page: Path, folder: Path) -> Iterator[tuple[Block, str]]:
    """Run the blocks of a page that may be, in a folder, and give what each prints.

    Raises:
        RuntimeError: one fails, with all that it says.
    """
    shutil.copytree(ROOT / "examples", folder / "examples", dirs_exist_ok=True)
    for name, example in INPUTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / "examples" / example, folder / name)
    (folder / "names.txt").write_text("irs.gov\nbet365.com\n")
    known = "text,label\nirs.gov,government\nbund.de,government\nbet365.com,gambling\n"
    (folder / "known.csv").write_text(known)
    program = folder / ".bin" / "unmist"
    program.parent.mkdir(exist_ok=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m unmist "$@"\n')
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}"
    environment = os.environ | {"PATH": path + os.environ["PATH"], "NO_COLOR": "1"}
    environment.pop("UNMIST_MODEL", None)
    so_far = ""
    for block in blocks(page):
        if not block.run:
            continue
        if block.language == "python":  # names live on from one block to the next
            so_far += block.text
        command = (
            [sys.executable, "-c", so_far]
            if block.language == "python"
            else ["bash", "-euo", "pipefail", "-c", block.text]
        )
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode:
            raise RuntimeError(f"{block}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
        yield block, done.stdout + done.stderr


def main() -> None:
    """Command line of the module."""
    for name in sys.argv[1:]:
        with TemporaryDirectory() as folder:
            for block, said in run(Path(name).resolve(), Path(folder)):
                print(f"=== {block}\n{block.text}---\n{said}")


if __name__ == "__main__":
    main()
