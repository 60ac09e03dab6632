"""Rule: SVG is written as a tree, never as text: a name can be any text and stays text.

What XML cannot hold at all becomes U+FFFD.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from xml.etree import ElementTree as Xml

from visualizer.map_layout import Box, Point

Element = Xml.Element
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LONGEST = 600  # of what names are told in


def clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


def draw(parent: Element, tag: str, kind: str = "", text: str | None = None, **given: object) -> Element:
    """A child of `parent`; `kind` is its class. `text_anchor=…` writes `text-anchor`."""
    attributes = {"class": kind} if kind else {}
    for name, value in given.items():
        attributes[name.replace("_", "-")] = number(value) if isinstance(value, int | float) else clean(str(value))
    made = Xml.SubElement(parent, tag, attributes)
    made.text = None if text is None else clean(text)
    return made


def group(parent: Element, *kinds: str, told: str = "") -> Element:
    """A `<g>`; `told`: what a pointer that rests on it is told, in full."""
    made = draw(parent, "g", " ".join(filter(None, kinds)))
    if told:
        draw(made, "title", text=told[:_LONGEST])
    return made


def frame(parent: Element, box: Box, rounded: float, kind: str = "frame") -> None:
    draw(parent, "rect", kind, x=box.x, y=box.y, width=box.width, height=box.height, rx=rounded)


def square(parent: Element, at: Point, half: float) -> None:
    draw(parent, "rect", "port", x=at.x - half, y=at.y - half, width=2 * half, height=2 * half)


def number(value: float) -> str:
    return f"{round(value, 1):g}" if abs(value) < 1e5 else str(round(value))


def line(points: Sequence[Point]) -> str:
    return "".join(f"{'L' if index else 'M'}{number(at.x)},{number(at.y)}" for index, at in enumerate(points))


def wide(text: str) -> int:
    """How many letters' room it takes: East Asian ones take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def fitted(text: str, most: int) -> str:
    """A text of at most `most` letters' room, its middle left out."""
    text = clean(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
    if wide(text) <= most:
        return text
    head, tail = -(-(most - 1) // 2), (most - 1) // 2
    return f"{_cut(text, head)}…{_cut(text[::-1], tail)[::-1]}"


def _cut(text: str, room: int) -> str:
    kept = 0
    for index, letter in enumerate(text):
        kept += wide(letter)
        if kept > room:
            return text[:index]
    return text


def with_port(address: str, port: int, protocol: str = "tcp") -> str:
    """`10.0.0.1:80`, `[fd00::1]:80`, or the address alone where the protocol has no ports."""
    if protocol not in ("tcp", "udp", "sctp"):
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
