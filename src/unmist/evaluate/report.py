"""Every measurement as one HTML page that opens from disk and asks nobody for anything.

::

    unmist evaluate report --results docs/benchmarks -o report.html

What is known to it gets a plot and a table of its own, any other JSON file is shown as it is built.
No script, no request, every text escaped; light and dark by the reader's own setting.
"""

import argparse
import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from unmist.errors import InputError
from unmist.evaluate import report_sections
from unmist.evaluate.compare.pages import write_text
from unmist.evaluate.markup import Markup, tag
from unmist.evaluate.report_tree import tree

_FIRST: Final = ("chart", "table", "specialists", "ladder", "probes", "speed", "robustness")


def read(folder: Path) -> dict[str, Any]:
    """The JSON files of a folder and those below it by name without suffix (``edge/specialists``),
    the ones that matter most first.

    Raises:
        InputError: there is none, or one is not JSON.
    """
    found_files = sorted(folder.rglob("*.json"))
    paths = {path.relative_to(folder).with_suffix("").as_posix(): path for path in found_files}
    if not paths:
        raise InputError("no *.json here; expected a folder of measurements", str(folder))
    first = [name for name in _FIRST if name in paths]
    found = {}
    for name in (*first, *(name for name in paths if name not in first)):
        try:
            found[name] = json.loads(paths[name].read_text(encoding="utf-8"))
        except (ValueError, OSError) as error:
            raise InputError(f"not JSON ({error})", str(paths[name])) from error
    return found


def render(results: dict[str, Any]) -> str:
    """The page, from the content of each file by name."""
    css = files("unmist.evaluate").joinpath("report.css").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    titles = {name: report_sections.title(name) for name in results}
    links = [tag("li", tag("a", title, href=f"#{_anchor(n)}")) for n, title in titles.items()]
    sections = [_section(name, title, results[name]) for name, title in titles.items()]
    head = tag(
        "head",
        Markup('<meta charset="utf-8">'),
        Markup(f'<meta http-equiv="Content-Security-Policy" content="{policy}">'),
        Markup('<meta name="viewport" content="width=device-width, initial-scale=1">'),
        tag("title", "unmist: measurements"),
        tag("style", Markup(css)),
    )
    body = tag(
        "body",
        tag("h1", "unmist: measurements"),
        tag("p", "Made by ", tag("code", "unmist evaluate report"), " from the files named below."),
        tag("nav", tag("ul", *links), aria_label="Measurements"),
        tag("main", *sections),
    )
    return "<!doctype html>\n" + tag("html", head, body, lang="en") + "\n"


def _section(name: str, title: str, content: Any) -> Markup:
    known = report_sections.section(name, content)
    everything = tree(content)
    if known is not None:
        everything = tag("details", tag("summary", "All figures of this file"), everything)
    return tag(
        "section",
        tag("h2", title),
        tag("p", f"{name}.json", class_="file"),
        *([known] if known is not None else []),
        everything,
        id=_anchor(name),
    )


def _anchor(name: str) -> str:
    return "m-" + "".join(c if c.isascii() and c.isalnum() else "-" for c in name)


def main(argv: Sequence[str] | None = None, prog: str | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog, description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--results", type=Path, default=Path("docs/benchmarks"), help="folder of JSON files"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="REPORT.html")
    args = parser.parse_args(argv)
    write_text(args.output, render(read(args.results)))


if __name__ == "__main__":
    main()
