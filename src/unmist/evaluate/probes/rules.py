"""Hand-written changes of a text: forms that mean the same, and small changes with and without
consequence.

A rule takes a text and a random generator and gives the changed text, or None where it does not
apply. Small changes touch one or two characters, so that their number cannot tell them apart.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

Change = Callable[[str, random.Random], str | None]
Kind = Literal["same", "harmless", "matters"]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Well-known names that look-alikes are made of.
BRANDS: Final = _words(
    "paypal.com google.com microsoft.com apple.com amazon.com facebook.com netflix.com "
    "linkedin.com dropbox.com instagram.com icloud.com outlook.com wellsfargo.com citibank.com "
    "chase.com hsbc.com barclays.co.uk paypal.me ebay.com alibaba.com yahoo.com twitter.com "
    "whatsapp.com adobe.com docusign.com coinbase.com binance.com blockchain.com github.com "
    "gitlab.com salesforce.com office.com live.com login.microsoftonline.com accounts.google.com "
    "appleid.apple.com signin.ebay.com secure.bankofamerica.com online.citibank.com ups.com "
    "fedex.com dhl.com usps.com walmart.com steamcommunity.com roblox.com telegram.org "
    "wikipedia.org mozilla.org booking.com airbnb.com spotify.com zoom.us slack.com"
)
PATHS: Final = _words(
    "/etc/passwd /etc/shadow /etc/group /etc/sudoers /etc/hosts /etc/crontab /root/.bashrc "
    "/root/.ssh/authorized_keys /home/user/.ssh/id_rsa /var/www/html/index.php "
    "/usr/lib/libcurl.so.4.7.0 /usr/lib/libssl.so.1.1.1 /var/log/syslog.12 /usr/bin/python3.11 "
    "C:\\Windows\\System32\\svchost.exe C:\\Windows\\System32\\lsass.exe "
    "C:\\Windows\\explorer.exe C:\\Windows\\System32\\rundll32.exe "
    "C:\\Windows\\System32\\cmd.exe C:\\Windows\\System32\\services.exe "
    "C:\\Users\\alice\\Documents\\invoice.doc C:\\Users\\bob\\Desktop\\report.xls "
    "C:\\Users\\carol\\Downloads\\slides.ppt C:\\Windows\\System32\\config\\SAM"
)
COMMANDS: Final = (
    "powershell -enc SQBFAFgA",
    "powershell.exe -nop -w hidden -enc aQBlAHgA",
    "powershell.exe -NoProfile -enc ZQBjAGgAbwA=",
    "powershell -ep bypass -enc JABjAGwAaQBlAG4AdAA=",
    "cmd.exe /c powershell -enc dwBoAG8AYQBtAGkA",
    "chmod +x /tmp/run.sh",
    "chmod 755 /usr/local/bin/tool",
    "echo test >> /etc/hosts",
    "nc -l 4444",
    "rm -r /var/tmp/build",
)


@dataclass(frozen=True)
class Rule:
    """One kind of change in texts of a field.

    Attributes:
        field: field kind of the texts.
        name: what changes, as in the report.
        kind: ``same`` for another form of the same thing; of the small changes, ``matters`` or
            ``harmless``.
        change: the changed text, or None.
        carriers: which texts to change: those of the tasks, or a list of well-known ones.
    """

    field: str
    name: str
    kind: Kind
    change: Change
    carriers: tuple[str, ...] = ()


def _sub(pattern: str, to: str, flags: int = 0) -> Change:
    """The first match replaced."""
    compiled = re.compile(pattern, flags)

    def change(text: str, _generator: random.Random) -> str | None:
        changed, count = compiled.subn(to, text, count=1)
        return changed if count else None

    return change


def _some_match(pattern: str, to: Callable[[re.Match[str]], str]) -> Change:
    """One match, drawn at random, replaced."""
    compiled = re.compile(pattern)

    def change(text: str, generator: random.Random) -> str | None:
        found = list(compiled.finditer(text))
        if not found:
            return None
        match = generator.choice(found)
        return text[: match.start()] + to(match) + text[match.end() :]

    return change


def _whole(function: Callable[[str], str]) -> Change:
    return lambda text, _generator: function(text)


def _next_digit(match: re.Match[str]) -> str:
    """A number with its last digit one higher (9 to 8)."""
    digit = int(match[0][-1])
    return match[0][:-1] + str(digit + 1 if digit < 9 else 8)


def _look_alike(match: re.Match[str]) -> str:
    return {"l": "1", "o": "0", "i": "l", "e": "3", "s": "5", "m": "n"}[match[0]]


def _in_host(change: Change) -> Change:
    """Apply a change to the host of a URL alone."""
    parts = re.compile(r"^([a-z][a-z0-9+.-]*://)?([^/?#]+)", re.IGNORECASE)

    def inner(text: str, generator: random.Random) -> str | None:
        match = parts.match(text)
        changed = match and change(match[2], generator)
        return (
            None if not match or not changed else (match[1] or "") + changed + text[match.end() :]
        )

    return inner


def _upper_one(match: re.Match[str]) -> str:
    return match[0].upper()


def _percent_case(text: str) -> str:
    return re.sub(r"%[0-9A-Fa-f]{2}", lambda m: m[0].swapcase(), text)


_LETTERS: Final = r"(?<=[a-z])[loiesm](?=[a-z])"
_NUMBER: Final = r"(?<![0-9a-fA-F])[0-9]{5,}(?![0-9a-fA-F])"
_WORD_ARGUMENT: Final = r"(?<=\s)(?![-/'\"])([\w./:\\-]{3,})(?=\s|$)"

RULES: Final = (
    # Another form of the same thing.
    Rule("hostname", "upper case", "same", _whole(str.upper)),
    Rule("hostname", "trailing dot", "same", _whole(lambda t: t + ".")),
    Rule("url", "host in upper case", "same", _in_host(_whole(str.upper))),
    Rule("url", "default port", "same", _in_host(_sub(r"^([^:@]+)$", r"\1:80"))),
    Rule("url", "percent-encoded letter", "same",
         _some_match(r"(?<=/)[a-z]", lambda m: f"%{ord(m[0]):02X}")),
    Rule("url", "percent codes in other case", "same",
         lambda t, _: _percent_case(t) if _percent_case(t) != t else None),
    Rule("url", "dot segment", "same", _sub(r"(?<=[^/:])/(?=[^/])", "/./")),
    Rule("http", "percent-encoded letter", "same",
         _some_match(r"(?<=[=/&?])[a-z]", lambda m: f"%{ord(m[0]):02X}")),
    Rule("http", "percent codes in other case", "same",
         lambda t, _: _percent_case(t) if _percent_case(t) != t else None),
    Rule("http", "plus for a space", "same", _sub(r"(?<=\w)(%20| )(?=\w)", "+")),
    Rule("path", "doubled slash", "same", _sub(r"(?<=\w)/(?=\w)", "//")),
    Rule("path", "Windows path in upper case", "same",
         lambda t, _: t.upper() if re.match(r"[A-Za-z]:\\", t) and t.upper() != t else None),
    Rule("path", "slash for backslash", "same",
         lambda t, _: t.replace("\\", "/") if re.match(r"[A-Za-z]:\\", t) else None),
    Rule("command", "argument in double quotes", "same", _sub(_WORD_ARGUMENT, r'"\1"')),
    Rule("command", "argument in single quotes", "same",
         lambda t, g: None if "\\" in t else _sub(_WORD_ARGUMENT, r"'\1'")(t, g)),
    Rule("command", "doubled spaces", "same",
         lambda t, _: t.replace(" ", "  ") if " " in t and not re.search(r"['\"\n]", t) else None),
    Rule("header", "doubled space", "same", _sub(r"(?<=\w) (?=\w)", "  ")),
    # Small changes with a consequence.
    Rule("hostname", "look-alike letter in a brand", "matters",
         _some_match(_LETTERS, _look_alike), BRANDS),
    Rule("hostname", "letter dropped from a brand", "matters",
         _some_match(r"(?<=[a-z])[a-z](?=[a-z]+\.)", lambda m: ""), BRANDS),
    Rule("hostname", "com becomes co or cm", "matters",
         lambda t, g: t[:-3] + g.choice(("co", "cm")) if t.endswith(".com") else None, BRANDS),
    Rule("hostname", "letter doubled in a brand", "matters",
         _some_match(r"(?<=[a-z])[a-z](?=[a-z]+\.)", lambda m: m[0] * 2), BRANDS),
    Rule("url", "look-alike letter in the host", "matters",
         _in_host(_some_match(_LETTERS, _look_alike))),
    Rule("url", "the host becomes user information", "matters",
         _sub(r"^((?:[a-z]+://)?[^/?#@]+)/(?=[^/]+\.)", r"\1@", re.IGNORECASE)),
    Rule("url", "a quote ends a value", "matters", _sub(r"(=[\w.-]+)(?=&|$)", r"\1'")),
    Rule("http", "a quote ends a value", "matters", _sub(r"(=[\w.-]+)(?=&|$)", r"\1'")),
    Rule("http", "a semicolon ends a value", "matters", _sub(r"(=[\w.-]+)(?=&|$)", r"\1;")),
    Rule("http", "a tag opens after a value", "matters", _sub(r"(=[\w.-]+)(?=&|$)", r"\1<")),
    Rule("path", "passwd- for passwd", "matters",
         _sub(r"^(/etc/(?:passwd|shadow|group|sudoers))$", r"\1-"), PATHS),
    Rule("path", "look-alike letter in a program's name", "matters",
         _some_match(r"(?<=[a-z])[loiesm](?=[a-z0-9]*\.exe$)", _look_alike)),
    Rule("path", "look-alike letter in a system program", "matters",
         _some_match(r"(?<=[a-z])[loiesm](?=[a-z0-9]*\.exe$)", _look_alike), PATHS),
    Rule("path", "document with macros", "matters", _sub(r"\.(doc|xls|ppt)$", r".\1m")),
    Rule("path", "well-known document with macros", "matters",
         _sub(r"\.(doc|xls|ppt)$", r".\1m"), PATHS),
    Rule("path", "hidden file", "matters", _sub(r"/(?=[a-z0-9_-]+(?:\.\w+)?$)", "/.")),
    Rule("command", "-eq for -enc", "matters", _sub(r" -enc ", " -eq "), COMMANDS),
    Rule("command", "append for overwrite", "matters", _sub(r"(?<=\s)>(?=\s)", ">>")),
    Rule("command", "or for and", "matters", _sub(r" && ", " || ")),
    Rule("command", "remove for add", "matters", _sub(r" \+x ", " -x ")),
    Rule("command", "a semicolon for a pipe", "matters", _sub(r" \| ", " ; ")),
    Rule("command", "a variable is quoted away", "matters", _sub(r"\$(?=[A-Za-z{(])", r"\\$")),
    Rule("header", "letter dropped from a well-known word", "matters",
         _some_match(r"\b(Mozilla|Windows|Android|Linux|compatible|Gecko)\b",
                     lambda m: m[0][:3] + m[0][4:])),
    Rule("header", "look-alike letter in a word", "matters",
         _some_match(r"(?<=[a-z]{2})[loi](?=[a-z])", _look_alike)),
    # Small changes without a consequence.
    Rule("hostname", "one letter in upper case", "harmless",
         _some_match(r"[a-z]", _upper_one), BRANDS),
    Rule("hostname", "trailing dot", "harmless", _whole(lambda t: t + "."), BRANDS),
    Rule("hostname", "number of a machine", "harmless",
         _some_match(r"(?<=[a-z-])[0-9]{1,3}(?=\.)", _next_digit)),
    Rule("url", "one letter of the host in upper case", "harmless",
         _in_host(_some_match(r"[a-z]", _upper_one))),
    Rule("url", "percent code in other case", "harmless",
         _some_match(r"%(?=[0-9]*[a-fA-F])[0-9A-Fa-f]{2}", lambda m: m[0].swapcase())),
    Rule("url", "digit of a long number", "harmless", _some_match(_NUMBER, _next_digit)),
    Rule("http", "percent code in other case", "harmless",
         _some_match(r"%(?=[0-9]*[a-fA-F])[0-9A-Fa-f]{2}", lambda m: m[0].swapcase())),
    Rule("http", "digit of a long number", "harmless", _some_match(_NUMBER, _next_digit)),
    Rule("http", "plus for a space", "harmless", _sub(r"(?<=\w) (?=\w)", "+")),
    Rule("path", "last digit of a version", "harmless",
         _some_match(r"(?<=\.)[0-9]{1,2}(?=$|/|\.)", _next_digit)),
    Rule("path", "doubled slash", "harmless", _sub(r"(?<=\w)/(?=\w)", "//")),
    Rule("path", "one letter of a Windows path in other case", "harmless",
         lambda t, g: _some_match(r"[A-Za-z]", lambda m: m[0].swapcase())(t, g)
         if re.match(r"[A-Za-z]:\\", t) else None),
    Rule("command", "doubled space", "harmless",
         lambda t, g: None if re.search(r"['\"\n]", t) else _sub(r"(?<=\w) (?=\S)", "  ")(t, g)),
    Rule("command", "digit of a long number", "harmless", _some_match(_NUMBER, _next_digit)),
    Rule("command", "argument in double quotes", "harmless", _sub(_WORD_ARGUMENT, r'"\1"')),
    Rule("header", "last digit of a version", "harmless",
         _some_match(r"(?<=\.)[0-9]{2,}(?=[ ;)]|$)", _next_digit)),
    Rule("header", "doubled space", "harmless", _sub(r"(?<=\w) (?=\w)", "  ")),
)  # fmt: skip
