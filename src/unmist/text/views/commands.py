"""Views of command lines and file paths.

Which shell a line is for is guessed from what only that shell's users write.
"""

import random
import re
from typing import Final

from unmist.text.views import general
from unmist.text.views.view import View, filler, random_case

_POWERSHELL: Final = re.compile(
    r"\b(?:powershell|pwsh)\b|\b[A-Z][a-z]+-[A-Z][A-Za-z]+\b|\$env:|\bi[ew][xr]\b"
)
_CMD: Final = re.compile(
    r"\.exe\b|%\w+%|\bcmd\b|\b[A-Za-z]:\\|^\s*(?:attrib|bitsadmin|certutil|copy|del|dir|icacls"
    r"|ipconfig|mshta|net|netsh|nltest|reg|regsvr32|rundll32|sc|schtasks|taskkill|tasklist"
    r"|vssadmin|wevtutil|whoami|wmic)\s+[/\w]",
    re.IGNORECASE,
)
_DRIVE_OR_BACKSLASH: Final = re.compile(r"[A-Za-z]:[\\/]|\\\\?[\w ]")
_SPECIAL: Final = re.compile(r"[\"'`$(){}<>|;&#^\\!*?\[\]~=%\n]")
_PROGRAM: Final = re.compile(r"\s*[A-Za-z][A-Za-z0-9_.-]*")
_ARGUMENT: Final = re.compile(r"(?<=\s)[A-Za-z][A-Za-z0-9_./:-]*(?=\s|$)")
_LONG_WORD: Final = re.compile(r"[A-Za-z]{4,}")
# Around these a quoted word is another word, or the line is no simple command.
_KEYWORDS: Final = re.compile(
    r"\b(?:case|do|done|elif|else|esac|fi|for|foreach|function|if|in|rem|select|set|then|time|until"
    r"|while)\b",
    re.IGNORECASE,
)
# What a backtick before these means is another character.
_ESCAPES: Final = frozenset("0abefnrtuv")
_PLACES: Final = 3
_OPEN: Final = {"sh": "cd /tmp && ", "cmd": "cd \\ & ", "powershell": "Get-Date; "}
_CLOSE: Final = {"sh": " && echo done", "cmd": " & echo done", "powershell": "; Get-Date"}
_SAY: Final = {"sh": "true {} ; ", "cmd": "echo {}>nul & ", "powershell": "$null = '{}'; "}
_REMARK: Final = {"sh": " # {}", "cmd": " & rem {}", "powershell": " # {}"}


def shell(line: str) -> str:
    """``powershell``, ``cmd`` or ``sh``."""
    if _POWERSHELL.search(line):
        return "powershell"
    return "cmd" if _CMD.search(line) else "sh"


def program_case(text: str, chance: random.Random) -> str | None:
    """The program's name, whose case means nothing on Windows."""
    match = _PROGRAM.match(text)
    if not match or shell(text) == "sh":
        return None
    return random_case(match[0], chance) + text[match.end() :]


def quoted(text: str, chance: random.Random) -> str | None:
    """Quotes around an argument that needs none."""
    plain = _plain(text)
    if _KEYWORDS.search(plain):
        return None
    arguments = list(_ARGUMENT.finditer(plain))
    if len(plain) < len(text):  # what stands at the break may go on behind it
        arguments = [match for match in arguments if match.end() < len(plain)]
    if not arguments:
        return None
    match = chance.choice(arguments)
    quote = chance.choice("'\"") if shell(text) == "sh" else '"'
    return f"{text[: match.start()]}{quote}{match[0]}{quote}{text[match.end() :]}"


def caret(text: str, chance: random.Random) -> str | None:
    """``^`` inside words: cmd.exe drops it."""
    return _inserted(text, chance, "^") if shell(text) == "cmd" else None


def backtick(text: str, chance: random.Random) -> str | None:
    """A backtick inside words: PowerShell drops it."""
    return _inserted(text, chance, "`") if shell(text) == "powershell" else None


def ifs(text: str, chance: random.Random) -> str | None:
    """``${IFS}`` for spaces: a shell splits words there."""
    places = [i for i, c in enumerate(_plain(text)) if c == " " and 0 < i < len(text) - 1]
    if not places or shell(text) != "sh":
        return None
    chosen = set(chance.sample(places, min(_PLACES, len(places))))
    return "".join("${IFS}" if i in chosen else c for i, c in enumerate(text))


def prepend_benign(text: str, _chance: random.Random) -> str | None:
    """A harmless command in front."""
    return _OPEN[shell(text)] + text


def append_benign(text: str, _chance: random.Random) -> str | None:
    """A harmless command behind."""
    return text + _CLOSE[shell(text)]


def pad_start(text: str, chance: random.Random) -> str | None:
    """Words in front that do nothing."""
    return _SAY[shell(text)].format(filler(chance, 120)) + text


def pad_end(text: str, chance: random.Random) -> str | None:
    """A remark at the end."""
    return text + _REMARK[shell(text)].format(filler(chance, 120))


def empty_quotes(text: str, chance: random.Random) -> str | None:
    """A pair of quotes with nothing inside, in the middle of the program's name: shells drop it."""
    match = _PROGRAM.match(text)
    if not match or len(match[0].strip()) < 2 or _KEYWORDS.search(match[0]):
        return None
    start = match.end() - len(match[0].lstrip())
    place = chance.randrange(start + 1, match.end())
    return f'{text[:place]}""{text[place:]}'


def tabs(text: str, _chance: random.Random) -> str | None:
    """Tabs for spaces, as far as nothing is quoted: shells part words at either."""
    plain = _plain(text).strip(" ")
    return text.replace(plain, plain.replace(" ", "\t"), 1) if plain else None


def path_case(text: str, chance: random.Random) -> str | None:
    """A Windows path, whose case means nothing."""
    return random_case(text, chance) if _DRIVE_OR_BACKSLASH.match(text) else None


def prepend_folder(text: str, chance: random.Random) -> str | None:
    """A relative path under a folder more; an absolute one through its own root."""
    if text.startswith("/"):
        return f"/usr/share/doc/../../..{text}"
    return None if _DRIVE_OR_BACKSLASH.match(text) else f"{filler(chance, 4)}/{text}"


def pad_path_start(text: str, _chance: random.Random) -> str | None:
    """``./`` twenty times, where a path is relative."""
    plain = not text.startswith("/") and not _DRIVE_OR_BACKSLASH.match(text)
    return "./" * 20 + text if plain else None


def pad_path_end(text: str, _chance: random.Random) -> str | None:
    """Spaces at the end."""
    return text + " " * 40


def double_slash(text: str, chance: random.Random) -> str | None:
    """One separator twice, where it is not the first character."""
    places = [i for i, c in enumerate(text) if c in "/\\" and i > 0]
    if not places:
        return None
    i = chance.choice(places)
    return text[:i] + text[i] + text[i:]


def _plain(text: str) -> str:
    """What stands before the first character that a shell gives a meaning."""
    match = _SPECIAL.search(text)
    return text[: match.start()] if match else text


def _inserted(text: str, chance: random.Random, sign: str) -> str | None:
    places = [
        i
        for match in _LONG_WORD.finditer(_plain(text))
        for i in range(match.start() + 1, match.end())
        if text[i].lower() not in _ESCAPES
    ]
    if not places:
        return None
    chosen = set(chance.sample(places, min(_PLACES, len(places))))
    return "".join(sign + c if i in chosen else c for i, c in enumerate(text))


COMMAND: Final = (
    View("random_case", False, program_case),
    View("quoting", False, quoted),
    View("caret", True, caret),
    View("backtick", True, backtick),
    View("ifs", True, ifs),
    View("swap", True, general.swap),
    View("homoglyph", True, general.homoglyph),
    View("prepend_benign", True, prepend_benign),
    View("append_benign", True, append_benign),
    View("pad_start", True, pad_start),
    View("pad_end", True, pad_end),
    View("empty_quotes", True, empty_quotes, learnt=False),
    View("tabs", True, tabs, learnt=False),
)
PATH: Final = (
    View("random_case", False, path_case),
    View("swap", True, general.swap),
    View("homoglyph", True, general.homoglyph),
    View("prepend_benign", True, prepend_folder),
    View("pad_start", True, pad_path_start),
    View("pad_end", True, pad_path_end),
    View("double_slash", True, double_slash, learnt=False),
)
