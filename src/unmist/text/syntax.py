"""What a text's syntax alone says of its field kind, whatever words are in it.

An address, a mailbox, a digest or an identifier is of no kind that a specialist reads; it is told
here because n-grams of digits look like much else. Only whole texts count.
"""

import re
from ipaddress import ip_interface
from typing import Final

# A scheme of the web, a host, no white space; hxxp is how reports write what shall not be clicked.
_WEB: Final = re.compile(r"(?:https?|hxxps?|ftps?|wss?)://[^\s/?#]\S*", re.IGNORECASE)
_MAILBOX: Final = re.compile(r"[\w.+-]{1,64}@[a-z0-9-]+(?:\.[a-z0-9-]+)+\.?", re.IGNORECASE)
# MD5, SHA-1, SHA-224 to SHA-512; digits and letters of one case.
_DIGEST: Final = re.compile(
    "|".join(f"[0-9a-f]{{{n}}}|[0-9A-F]{{{n}}}" for n in (32, 40, 56, 64, 96, 128))
)
_IDENTIFIER: Final = re.compile(
    r"\{?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\}?"  # UUID
    r"|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}"  # MAC address
    r"|S-1(?:-[0-9]+){2,}",  # Windows security identifier
    re.IGNORECASE,
)
_SOCKET: Final = re.compile(r"(?:\[([0-9a-f:.]+)\]|([0-9.]+)):[0-9]{1,5}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[0-9a-f:.]{2,45}(?:/[0-9]{1,3})?", re.IGNORECASE)
_ROOTS: Final = (
    "Applications", "Library", "System", "Users", "Volumes", "bin", "boot", "dev", "etc", "home",
    "lib", "lib32", "lib64", "lost+found", "media", "mnt", "opt", "private", "proc", "root", "run",
    "sbin", "snap", "srv", "sys", "tmp", "usr", "var",
)  # fmt: skip
# Plain characters only: with a query, an operator or an option it may be a request or a command.
_NO_OPTION: Final = r"(?!.*\s[/-])"
_UNIX: Final = re.compile(
    rf"{_NO_OPTION}(?:~|/(?:{'|'.join(map(re.escape, _ROOTS))}))(?:/[\w .@+~,-]*)*"
)
_WINDOWS: Final = re.compile(
    _NO_OPTION + r"(?:[a-z]:|\\\\[\w.$-]+|%\w+%)(?:\\[\w .@+~,()&$#-]*)+", re.IGNORECASE
)
_REGISTRY: Final = re.compile(
    r"(?:HKEY_(?:LOCAL_MACHINE|CURRENT_USER|CLASSES_ROOT|USERS|CURRENT_CONFIG)|HK(?:LM|CU|CR|U))"
    r"(?:\\[^\n]*)?",
    re.IGNORECASE,
)
# Endings of files, none of them a top-level domain.
_ENDINGS: Final = (
    "7z|bak|bat|bin|bmp|cab|cer|cfg|class|cmd|conf|config|crt|csv|dat|db|dll|dmp|doc|docm|docx|dotm"
    "|eml|evtx|exe|gif|gz|hta|htm|html|ini|iso|jar|jpeg|jpg|js|json|jsp|key|kdbx|lnk|log|lua|mdb"
    "|mp3|mp4|msg|msi|odt|ost|pcap|pcapng|pdf|pem|pfx|php|png|ppk|ppt|pptx|ps1|psd1|pst|rar|rdp|reg"
    "|rtf|scr|sql|sqlite|svg|swf|sys|tar|tgz|tif|tmp|txt|vbs|vhd|vhdx|vmdk|wav|wsf|xls|xlsb|xlsm"
    "|xlsx|xml|yaml|yara|yml"
)
_FILE: Final = re.compile(rf"{_NO_OPTION}[\w .()+~#@&,-]{{1,80}}\.(?:{_ENDINGS})", re.IGNORECASE)

# Programs that hardly begin a user agent or a banner; a version after one is no argument.
_PROGRAMS: Final = (
    "adfind|attrib|base64|bash|bcdedit|bitsadmin|certutil|chmod|chown|cmd|crontab|cscript|curl|dig"
    "|docker|find|git|grep|icacls|ifconfig|ipconfig|iptables|kill|kubectl|mimikatz|msiexec|mshta"
    "|nc|ncat|net|netcat|netsh|netstat|nltest|nmap|nohup|nslookup|openssl|perl|php|ping|powershell"
    "|procdump|psexec|pwsh|python|python2|python3|reg|regsvr32|rm|rsync|ruby|rundll32|schtasks|scp"
    "|sh|ssh|sudo|systemctl|tar|taskkill|tasklist|tcpdump|useradd|vssadmin|wevtutil|wget|whoami"
    "|wmic|wscript|xcopy|zsh"
)
_RUN: Final = re.compile(
    rf"(?:[\w/.~-]*/|[a-z]:\\[\w .()~\\-]*\\)?(?:{_PROGRAMS})(?:\.exe)?\s+"
    r"(?!v?[0-9]+\.[0-9]+(?:\.[0-9]+)?(?:[\s-]|$))\S.*",
    re.IGNORECASE | re.DOTALL,
)
NEVER_RUN: Final = frozenset(("hostname", "url", "header", "certificate", "log", "cloud", "other"))
"""Kinds of which no text, of 178,000 in corpora, begins like a command."""


def is_run(text: str | bytes) -> bool:
    """Whether a text begins with a known program and an argument.

    Attacks in requests do so, too, and so do sentences; so this decides only against
    :data:`NEVER_RUN`.
    """
    return _RUN.fullmatch(_plain(text)) is not None


def kind_by_syntax(text: str | bytes) -> str | None:
    """The field kind that the syntax of a text leaves no doubt about, ``other`` for none; or None.

    Takes time linear in the length.
    """
    text = _plain(text)
    if _WEB.fullmatch(text):
        return "url"
    nothing = (_MAILBOX, _DIGEST, _IDENTIFIER)
    if any(form.fullmatch(text) for form in nothing) or _is_address(text):
        return "other"
    if any(form.fullmatch(text) for form in (_UNIX, _WINDOWS, _REGISTRY, _FILE)):
        return "path"
    return None


def _plain(text: str | bytes) -> str:
    """Without white space around it; a byte that is not UTF-8 is kept as no character."""
    return (text.decode("utf-8", "surrogateescape") if isinstance(text, bytes) else text).strip()


def _is_address(text: str) -> bool:
    """Whether it is an IPv4 or IPv6 address, with a port or a prefix length or neither."""
    found = _SOCKET.fullmatch(text)
    one = (found[1] or found[2]) if found else text
    if not _ADDRESS.fullmatch(one) or one.isalnum():
        return False
    try:
        ip_interface(one)
    except ValueError:
        return False
    return True
