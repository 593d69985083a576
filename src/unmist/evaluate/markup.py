"""HTML and SVG as text in which nothing foreign can become markup."""

import html
from collections.abc import Iterable, Sequence

from unmist.visible import visible


class Markup(str):
    """Text that is markup already. Only :func:`tag` and :func:`join` make it."""

    __slots__ = ()


def text(content: object) -> Markup:
    """Any text as markup, escaped; markup as it is. What a screen would act on or hide is written
    as an escape."""
    if isinstance(content, Markup):
        return content
    return Markup(html.escape(visible(str(content)), quote=True))


def join(parts: Iterable[object], between: str = "") -> Markup:
    """Parts one after the other, each escaped unless it is markup; ``between`` is plain text."""
    return Markup(html.escape(between).join(text(part) for part in parts))


def tag(name: str, *content: object, **attributes: object) -> Markup:
    """An element. A ``_`` at the end of an attribute's name falls off, another becomes ``-``;
    attributes that are None are left out."""
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{said}>{join(content)}</{name}>")


def table(head: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """A table in a box of its own that scrolls sideways where the page is narrow."""
    titles = tag("tr", *(tag("th", cell, scope="col") for cell in head))
    body = [
        tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:]))
        for row in rows
    ]
    inner = tag("table", tag("thead", titles), tag("tbody", *body))
    return tag("div", inner, class_="wide", tabindex="0")
