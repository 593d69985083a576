"""The rules do what their names say, and the measures tell a good vector from a bad one."""

import random
from pathlib import Path

import numpy as np
import pytest

from unmist.evaluate.probes import forms
from unmist.evaluate.probes.rules import RULES, Rule


def rule(field: str, name: str, kind: str) -> Rule:
    (found,) = (r for r in RULES if (r.field, r.name, r.kind) == (field, name, kind))
    return found


@pytest.mark.parametrize(
    ("field", "name", "kind", "text", "expected"),
    [
        ("hostname", "trailing dot", "same", "a.com", "a.com."),
        ("hostname", "number of a machine", "harmless", "node17.a.com", "node18.a.com"),
        ("hostname", "number of a machine", "harmless", "a.com", None),
        ("url", "default port", "same", "http://a.com/x", "http://a.com:80/x"),
        ("url", "default port", "same", "http://a.com:8080/x", None),
        ("url", "host in upper case", "same", "http://a.com/x", "http://A.COM/x"),
        ("url", "a quote ends a value", "matters", "a.com/?id=5&x=2", "a.com/?id=5'&x=2"),
        ("url", "the host becomes user information", "matters", "http://a.com/b.org/x",
         "http://a.com@b.org/x"),
        ("url", "percent codes in other case", "same", "a.com/%2f", "a.com/%2F"),
        ("path", "passwd- for passwd", "matters", "/etc/passwd", "/etc/passwd-"),
        ("path", "passwd- for passwd", "matters", "/etc/hosts", None),
        ("path", "document with macros", "matters", "C:\\a.doc", "C:\\a.docm"),
        ("path", "slash for backslash", "same", "C:\\a\\b", "C:/a/b"),
        ("path", "hidden file", "matters", "/tmp/a.sh", "/tmp/.a.sh"),
        ("path", "last digit of a version", "harmless", "/lib/a.so.1.29", "/lib/a.so.2.29"),
        ("command", "-eq for -enc", "matters", "powershell -enc QQ==", "powershell -eq QQ=="),
        ("command", "argument in double quotes", "same", "cat a.txt -n", 'cat "a.txt" -n'),
        ("command", "append for overwrite", "matters", "echo a > b", "echo a >> b"),
    ],
)  # fmt: skip
def test_a_rule(field: str, name: str, kind: str, text: str, expected: str | None) -> None:
    chosen = rule(field, name, kind)
    outcomes = {chosen.change(text, random.Random(seed)) for seed in range(20)}
    assert expected in outcomes


def test_small_changes_are_small_whichever_kind() -> None:
    """The number of changed characters must not tell what matters from what does not."""
    carriers = {
        "url": ["http://mail.example.com/a.php?id=12345&x=%2f", "example.com/files/b.html"],
        "http": ["/a?id=5&b=%2F 123456 some words"],
        "path": ["/usr/lib/libc.so.6", "C:\\Temp\\installer.exe", "C:\\a\\b.doc", "/tmp/run.sh"],
        "command": ["cat file.txt | grep $HOME && echo 12345 > out.log", "chmod +x run.sh now"],
        "header": ["Mozilla/5.0 (Windows NT 10.0) Chrome/120.0.6099.109 Safari/537.36"],
        "hostname": ["node17.example.com"],
    }
    for one in RULES:
        if one.kind == "same":
            continue
        applied = [one.change(t, random.Random(1)) for t in one.carriers or carriers[one.field]]
        assert any(applied), one.name
        for before, after in zip(one.carriers or carriers[one.field], applied, strict=True):
            if after is not None and after != before:
                assert distance(before, after) <= 2, (one.name, before, after)


def distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_auc() -> None:
    assert forms.auc(np.array([2.0, 3.0]), np.array([0.0, 1.0])) == 1
    assert forms.auc(np.array([0.0]), np.array([1.0, 2.0])) == 0
    assert forms.auc(np.ones(4), np.ones(3)) == 0.5


def test_pairs_and_measures(data_folder: Path) -> None:
    pairs = forms.pairs(data_folder, limit=5)
    assert pairs == forms.pairs(data_folder, limit=5)
    assert all(len(p.before) <= 5 for p in pairs)
    assert all(a != b for p in pairs for a, b in zip(p.before, p.after, strict=True))

    def blind(texts: object, field: str) -> np.ndarray:
        return np.tile(np.float32([1, 0]), (len(list(texts)), 1))  # type: ignore[call-overload]

    result = forms.measure(pairs, blind)
    assert result["invariance"]["median_cosine"] == 1
    assert result["invariance"]["unrelated"] == 1
    assert result["discrimination"]["auc"] == 0.5
