"""The reference of the Python API, from signatures and docstrings as they stand in the source.

The source is read, never imported: no optional library is needed, and the page is the same under
every release of Python.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SOURCE: Final = Path(__file__).parents[1] / "src"

HEAD = """\
# Python API

<!-- Written by tools/make_reference.py from the source; do not edit. -->

What is listed here is public; everything else may change without notice. Errors are
`unmist.UnmistError` and those below it. The fields of a verdict, its statuses and reasons:
[verdict.md](verdict.md).
"""

MODULES: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "unmist": (
        "Load a model folder, embed and classify.",
        (
            *("load", "Model", "Verdict"),
            *("UnmistError", "UsageError", "InputError", "ModelError", "OutputError"),
        ),
    ),
    "unmist.model": ("What the methods of `Model` give.", ("Route",)),
    "unmist.cache": ("", ("CacheInfo",)),
    "unmist.explain": (
        "What `Model.explain` takes and gives.",
        ("Explanation", "Span", "Neighbour", "Examples"),
    ),
    "unmist.io": (
        "Any log in as rows, vectors out.",
        ("open_rows", "Row", "ReadCounts", "write_vectors"),
    ),
    "unmist.batch": (
        "A stateless step for data engines, and the job of `unmist run`: see "
        "[batch.md](../how-to/batch.md) and [scale.md](../how-to/scale.md).",
        ("Annotate", "Settings", "run_job", "find_inputs"),
    ),
    "unmist.search": (
        "Index rows by their vectors, find the nearest, group the near-equal: see "
        "[search.md](../how-to/search.md).",
        ("Index", "Filter", "Hit", "Likeness", "Builder", "Reading", "group"),
    ),
    "unmist.map": (
        "Texts as points in the plane; needs `pip install 'unmist[map]'`: see "
        "[map.md](../how-to/map.md).",
        ("Settings", "build", "read_map", "write_map", "write_page"),
    ),
    "unmist.sklearn": (
        "scikit-learn estimators; need `pip install 'unmist[train]'`: see "
        "[train.md](../how-to/train.md#in-scikit-learn).",
        ("Embedder", "AdapterClassifier"),
    ),
    "unmist.evaluate": ("Measure a specialist on a labelled file.", ("evaluate_task",)),
}

Definition = ast.FunctionDef | ast.ClassDef


def page() -> str:
    """The whole page."""
    listed = [
        f"- `{module}`: " + ", ".join(f"[`{n}`](#{_anchor(module, n)})" for n in names)
        for module, (_, names) in MODULES.items()
    ]
    parts = [HEAD, "\n".join(listed) + "\n"]
    for module, (about, names) in MODULES.items():
        parts.append(f"## {module}\n")
        if about:
            parts.append(f"{about}\n")
        parts += [entry(module, name) for name in names]
    return "\n".join(parts)


def entry(module: str, name: str) -> str:
    """A class or a function, as it is called from ``module``."""
    home, node = find(module, name)
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    lines = [f"### {module}.{name}\n", _call(node, name), *_docstring(node)]
    if isinstance(node, ast.ClassDef):
        for method in _methods(node):
            lines += [f"#### {name}.{method.name}\n", _call(method, method.name)]
            lines += _docstring(method)
    return _CONSTANT.sub(lambda found: f"= {_value(home, found.group(1))}", "\n".join(lines))


_CONSTANT: Final = re.compile(r"= ([A-Z][A-Z_]+)\b")


def _value(module: str, name: str) -> str:
    """What a constant is, so that a signature shows it."""
    node = find(module, name)[1]
    assert isinstance(node, ast.AnnAssign)
    assert node.value is not None
    return ast.unparse(node.value)


def find(module: str, name: str) -> tuple[str, ast.stmt]:
    """The module that defines a name, through the imports of packages, and the definition.

    Raises:
        LookupError: there is none.
    """
    for node in ast.walk(ast.parse(_file(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return module, node
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name:
            return module, node
        if isinstance(node, ast.ImportFrom) and any(alias.name == name for alias in node.names):
            return find(str(node.module), name)
    raise LookupError(f"{module} has no {name}")


def _file(module: str) -> Path:
    path = SOURCE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _anchor(module: str, name: str) -> str:
    return f"{module}.{name}".lower().replace(".", "")


def _methods(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    """The public methods that say what they do."""
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) or item.name.startswith("_"):
            continue
        if ast.get_docstring(item) is not None:
            yield item


def _call(node: Definition, name: str) -> str:
    """The signature, of a class that of its constructor or its fields, as a block of code that is
    called ``py`` because ``python`` would be run by the tests."""
    if isinstance(node, ast.FunctionDef):
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if "property" in decorators:
            return f"```py\n{name}: {_type(node.returns)}\n```\n"
        return _block(name, _parameters(node.args), node.returns)
    constructor = next(
        (n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None
    )
    if constructor is not None:
        return _block(name, _parameters(constructor.args), None)
    fields = [ast.unparse(item) for item in node.body if isinstance(item, ast.AnnAssign)]
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    if not fields:
        return f"```py\nclass {name}({bases})\n```\n"
    if any(k.arg == "kw_only" for k in node.keywords):
        fields.insert(0, "*")
    return _block(name, fields, None)


def _parameters(arguments: ast.arguments) -> list[str]:
    """Parameters one by one, without ``self``."""
    whole = ast.parse(f"def f({ast.unparse(arguments)}): pass").body[0]
    assert isinstance(whole, ast.FunctionDef)
    plain = whole.args.posonlyargs + whole.args.args
    defaults = [None] * (len(plain) - len(whole.args.defaults)) + list(whole.args.defaults)
    found = [_parameter(a, d) for a, d in zip(plain, defaults, strict=True) if a.arg != "self"]
    if whole.args.kwonlyargs:
        found.append("*")
        pairs = zip(whole.args.kwonlyargs, whole.args.kw_defaults, strict=True)
        found += [_parameter(a, d) for a, d in pairs]
    return found


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    text = argument.arg
    if argument.annotation is not None:
        text += f": {_type(argument.annotation)}"
    if default is not None:
        text += f"{' = ' if argument.annotation else '='}{ast.unparse(default)}"
    return text


def _type(node: ast.expr | None) -> str:
    return "None" if node is None else ast.unparse(node).strip("'\"")


def _block(name: str, parameters: list[str], returns: ast.expr | None) -> str:
    arrow = "" if returns is None else f" -> {_type(returns)}"
    line = f"{name}({', '.join(parameters)}){arrow}"
    if len(line) > 96:
        line = "\n".join([f"{name}(", *(f"    {p}," for p in parameters), f"){arrow}"])
    return f"```py\n{line}\n```\n"


_SECTION: Final = re.compile(r"(Args|Attributes|Returns|Raises|Yields):$")
_ITEM: Final = re.compile(r"([\w*]+(?:, [\w*]+)*): +(.*)")


def _docstring(node: Definition) -> list[str]:
    """A docstring of Google's style as Markdown."""
    text = ast.get_docstring(node) or ""
    constructor = isinstance(node, ast.ClassDef) and text.startswith("Args:")
    lines: list[str] = [""] if constructor else []
    section = ""
    for line in text.splitlines():
        title = _SECTION.match(line)
        if title:
            section = title.group(1)
            lines += [f"**{section}**", ""]
        elif not line.startswith(" ") or not section:
            section = section if not line else ""
            lines.append(_inline(line))
        else:
            lines.append(_item(line[4:], section))
    return ["\n".join(lines).strip() + "\n"] if text else []


def _item(line: str, section: str) -> str:
    """A line of a section: the beginning of an item, or what goes on from it."""
    if section in ("Returns", "Yields"):
        return _inline(line.strip())
    item = _ITEM.match(line)
    if item is None:
        return f"  {_inline(line.strip())}"
    return f"- `{item.group(1)}`: {_inline(item.group(2))}"


def _inline(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")
