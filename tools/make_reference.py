"""Write docs/reference/cli.md and docs/reference/api.md, or check that they are up to date.

::

    python tools/make_reference.py
    python tools/make_reference.py --check
"""

import argparse
import sys
from pathlib import Path

import api_reference
import cli_reference

from unmist.cli import main as unmist

FOLDER = Path(__file__).parents[1] / "docs" / "reference"


def pages() -> dict[Path, str]:
    """Every page with its content."""
    return {
        FOLDER / "cli.md": cli_reference.page(unmist, "unmist"),
        FOLDER / "api.md": api_reference.page(),
    }


def stale() -> list[Path]:
    """The pages that are not what would be written now."""
    return [
        path
        for path, text in pages().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit code 1 if stale")
    if parser.parse_args().check:
        old = stale()
        for path in old:
            print(f"{path} is stale: run python tools/make_reference.py", file=sys.stderr)
        sys.exit(1 if old else 0)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
