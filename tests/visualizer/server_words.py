"""Rule: what the server says in sentences of its own has a form in static/src/i18n/server.zh-hans.json.

A form is read as static/src/server-words.ts reads it. `sentences` finds in the source what can be said.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATTERNS = ROOT / "static" / "src" / "i18n" / "server.zh-hans.json"
SAMPLES = ROOT / "static" / "test" / "server-words.json"
GAP = "7"  # stands in a sentence for what is filled in
_SAYING = [
    *(
        ROOT / "visualizer" / f"{name}.py"
        for name in ("api", "asking", "changing", "clusters", "consumers", "creating")
    ),
    *(ROOT / "visualizer" / f"{name}.py" for name in ("documents", "log", "messages", "patching", "refusals")),
    *(ROOT / "visualizer" / f"{name}.py" for name in ("rooms", "rules", "sessions")),
    ROOT / "packetsim" / "flows.py",
]
_SAYS = {"RefusedError", "FlowError", "_problems", "_MissingError", "_refuse", "_end", "Goodbye", "Problem"}
# Forms of whoever writes a client, or of the engine: they stay English.
_ENGLISH = re.compile(r".*(?:See /api/v1/docs|Write it as docs/protocol\.md says)\.", re.DOTALL)


def forms() -> list[tuple[re.Pattern[str], str]]:
    found = json.loads(PATTERNS.read_text())
    return [(re.compile(re.sub(r"\(\?<(\w+)>", r"(?P<\1>", form), re.DOTALL), words) for form, words in found]


FORMS = forms()


def form_of(text: str, loose: bool = False) -> int | None:
    """The number of the form that tells a sentence. `loose`: whatever stands in it."""
    if text == GAP and loose:
        return 0
    for number, (form, _) in enumerate(FORMS):
        found = form.fullmatch(text)
        if found is not None and (loose or all(_is_told(*one) for one in found.groupdict().items())):
            return number
    return None


def _is_told(name: str, text: str | None) -> bool:
    return not name.startswith("cure") or form_of(text or "") is not None


def stays_english(text: str) -> bool:
    return _ENGLISH.fullmatch(text) is not None


# ---- in the source ------------------------------------------------------------------------------------------------


def sentences() -> Iterator[tuple[str, str]]:
    """Where, and what: each sentence that the source gives to those who are told, gaps filled with GAP."""
    for path in _SAYING:
        tree = ast.parse(path.read_text())
        constants = _held(tree.body)
        for part in ast.walk(tree):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                known = {**constants, **_held(ast.walk(part))}
                for call in ast.walk(part):
                    if isinstance(call, ast.Call) and _name(call.func) in _SAYS:
                        yield from ((f"{path.name}:{call.lineno}", text) for text in _said(call, known))


def places() -> Iterator[str]:
    """Where a stage is told to be, other than by a name."""
    for call in ast.walk(ast.parse((ROOT / "visualizer" / "stages.py").read_text())):
        if isinstance(call, ast.Call) and _name(call.func) == "Stage":
            given = next(one.value for one in call.keywords if one.arg == "place")
            yield from _texts(given, {}) or []


def _held(nodes: Iterable[ast.AST]) -> dict[str, list[str]]:
    """What names hold, where it is text."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found.setdefault(node.targets[0].id, []).extend(_texts(node.value, {}) or [])
    return {name: texts for name, texts in found.items() if texts}


def _said(call: ast.Call, known: dict[str, list[str]]) -> Iterator[str]:
    name = _name(call.func)
    if name == "Problem":
        file, message, cure = call.args[0], call.args[4], call.args[5]
        if _name(file) == "PASTED" and isinstance(message, ast.Constant | ast.JoinedStr):
            for words in product(_texts(message, known) or [], _texts(cure, known) or []):
                yield "".join(f"{one}. " for one in words).rstrip()
        return
    given = [*call.args, *(one.value for one in call.keywords if one.arg in ("text", "reason"))]
    for argument in given:
        for one in argument.elts if isinstance(argument, ast.List) else [argument]:
            if isinstance(one, ast.Name) and one.id not in known:
                continue
            for text in _texts(one, known) or []:
                if " " in text.strip():
                    yield text


def _texts(node: ast.expr, known: dict[str, list[str]]) -> list[str] | None:
    """Every text that an expression can be, as far as it is written here; None where it is none."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.Name(id=name):
            return known.get(name)
        case ast.IfExp(body=body, orelse=orelse):
            both = [_texts(one, known) for one in (body, orelse)]
            return [text for one in both for text in one or [GAP]] if any(both) else None
        case ast.BoolOp(values=values):
            every = [_texts(one, known) for one in values]
            return [text for one in every for text in one or []] if any(every) else None
        case ast.JoinedStr(values=values):
            filled = [one.value if isinstance(one, ast.FormattedValue) else one for one in values]
            parts = [_texts(one, known) or [GAP] for one in filled]
            return ["".join(chosen) for chosen in product(*parts)]
    return None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
