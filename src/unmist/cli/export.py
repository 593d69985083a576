"""``unmist export``: an index as a file that a database loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from unmist.search.exports import Target


@click.command("export", short_help="An index as a file that a database loads.")
@click.argument("folder", metavar="INDEX", type=click.Path(path_type=Path))
@click.option(
    "--to",
    type=click.Choice(["postgres", "qdrant", "opensearch"]),
    required=True,
    help="A script for psql with pgvector, or lines for the other's bulk requests.",
)
@click.option("--name", default="unmist", show_default=True, help="Of the table or index there.")
@click.option(
    "-o",
    "--output",
    "out",
    required=True,
    metavar="OUT",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file, all of it or nothing.",
)
@click.option("--quiet", "-q", is_flag=True, help="No summary on standard error.")
def command(folder: Path, to: Target, name: str, out: Path, quiet: bool) -> None:
    """Write the rows of INDEX, with their vectors, for another database."""
    from unmist.search import Index
    from unmist.search.exports import write_export

    rows = write_export(out, Index(folder), to, name)
    if not quiet:
        click.echo(f"{rows:,} rows for {to} in {out}", err=True)
