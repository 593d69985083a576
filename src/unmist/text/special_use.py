"""Names that mean something only inside one network, or nothing: no public list holds them.

Sources: IANA's registry of special-use domain names (RFC 6761 and what it lists), RFC 6762 appendix
G for those in private use, ICANN's resolution of 2024-07-29 for ``internal``. ``onion`` is left
out: such names do stand in lists.
"""

import re
from typing import Final

_TOP: Final = frozenset((
    "alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local",
    "localdomain", "localhost", "private", "test", "workgroup",
))  # fmt: skip
_DOMAINS: Final = frozenset(("example.com", "example.net", "example.org"))
_IPV4: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")


def reads_name(text: str | bytes, field: str, special_use: bool) -> bool:
    """Whether a specialist of a field kind can know a normalised text: any, but for a hostname
    without meaning outside one network where it has learnt none (``special_use``)."""
    return field != "hostname" or special_use or not is_special_use(text)


def is_special_use(name: str | bytes) -> bool:
    """Whether a normalised hostname is a single label, an address or under a special-use domain.

    Bytes that are not UTF-8 are no such name.
    """
    if isinstance(name, bytes):
        return False
    above, dot, top = name.rpartition(".")
    if not dot or top in _TOP or ":" in name:
        return True
    if top.isdigit():
        return _IPV4.fullmatch(name) is not None
    return f"{above.rpartition('.')[2]}.{top}" in _DOMAINS
