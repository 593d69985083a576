"""Hostile text made harmless for a screen."""


def visible(text: str) -> str:
    """The text with every character that a terminal would act on or hide written as an escape.

    That is control characters, terminal escapes, direction overrides and zero-width characters.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
