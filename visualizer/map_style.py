"""Rule: the looks of the map as a file: the page's colours (static/css/tokens.css), each written out, light and dark.

No custom properties, so that viewers other than browsers read it. Hues are Okabe and Ito's; shape and text say the
same again.
"""

from __future__ import annotations

import re

PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#fbfaf7", "#14171a"),
    "sheet": ("#ffffff", "#1b1f23"),
    "wash": ("#f3f1ec", "#22272c"),
    "ink": ("#1d2126", "#e8e6e1"),
    "ink-2": ("#4d545c", "#b3b7bb"),
    "ink-3": ("#666d75", "#949aa0"),
    "line": ("#d8d4cb", "#363c43"),
    "line-2": ("#a8a49b", "#59616a"),
    "blue": ("#0072b2", "#56b4e9"),
    "blue-ink": ("#005f96", "#7cc4ef"),
    "blue-wash": ("#e3f0f8", "#17303f"),
    "orange": ("#e69f00", "#e69f00"),
    "vermilion": ("#d55e00", "#f0813a"),
    "vermilion-ink": ("#a84a00", "#f59a62"),
    "vermilion-wash": ("#fae8dc", "#3d2415"),
}
_PROSE = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei",'
    " sans-serif"
)
_MONO = (
    'ui-monospace, "SF Mono", "Cascadia Mono", "Segoe UI Mono", "Roboto Mono", Menlo, Consolas, "DejaVu Sans Mono",'
    " monospace"
)
# Later rules win over earlier ones. $NAME: a colour of the palette.
_RULES = """
.packetwalk text { fill: $ink; font: 400 12px PROSE; text-rendering: geometricPrecision }
.packetwalk .ground { fill: $paper }
.packetwalk .middle { text-anchor: middle }
.packetwalk .end { text-anchor: end }
.packetwalk .address { font: 400 10.5px MONO; fill: $ink-2 }
.packetwalk .small { font-size: 11px; fill: $ink-3 }
.packetwalk .frame { fill: $sheet; stroke: $line-2; stroke-width: 1 }
.packetwalk .title { font-size: 13.5px; font-weight: 600 }
.packetwalk .wrong .frame { stroke-dasharray: 6 4 }
.packetwalk .wrong .note { fill: $vermilion-ink; font-weight: 600 }
.packetwalk .strip { fill: $wash }
.packetwalk .link { fill: none; stroke: $line-2; stroke-width: 1.2 }
.packetwalk .wire { fill: none; stroke: $line-2; stroke-width: 2.5; stroke-linecap: round }
.packetwalk .rail { fill: none; stroke: $line-2; stroke-width: 1.5 }
.packetwalk .station { fill: $sheet; stroke: $ink-3; stroke-width: 1.2 }
.packetwalk .station.passed { fill: $vermilion; stroke: $vermilion }
.packetwalk .station-name { font-size: 10.5px; fill: $ink-3 }
.packetwalk .station-name.passed { fill: $ink; font-weight: 600 }
.packetwalk .process { fill: $sheet; stroke: $line-2; stroke-dasharray: 2 3 }
.packetwalk .process.live { stroke: $ink-2; stroke-dasharray: none }
.packetwalk .port { fill: $sheet; stroke: $ink-3; stroke-width: 1 }
.packetwalk .name { font-size: 12.5px; font-weight: 600 }
.packetwalk .suffix { font: 400 10.5px MONO; fill: $ink-3 }
.packetwalk .flag { font-size: 10.5px; fill: $vermilion-ink }
.packetwalk .pale .frame { stroke-dasharray: 4 3; fill: none }
.packetwalk .pale .name { fill: $ink-3 }
.packetwalk .sender .frame { stroke: $ink; stroke-width: 1.6 }
.packetwalk .endpoint .frame { stroke: $blue; stroke-width: 2; fill: $blue-wash }
.packetwalk .service .frame { fill: $blue-wash; stroke: $blue }
.packetwalk .service .name { font-size: 13px; fill: $blue-ink }
.packetwalk .service .kind { font: 400 10.5px PROSE; fill: $blue-ink }
.packetwalk .service.addressed .frame { stroke-width: 2.5 }
.packetwalk .tie path { fill: none; stroke: $blue; stroke-width: 1.1; stroke-dasharray: 4 4; opacity: 0.7 }
.packetwalk .tie circle { fill: $blue; opacity: 0.8 }
.packetwalk .tie.faint { opacity: 0.4 }
.packetwalk .tie.chosen path { stroke-width: 2.4; opacity: 1 }
.packetwalk .tie.unready path { stroke-dasharray: 1 5; stroke-linecap: round }
.packetwalk .tie.unready circle { fill: $paper; stroke: $blue }
.packetwalk .beyond { fill: none; stroke: $line-2; stroke-dasharray: 5 4 }
.packetwalk .router circle { fill: $sheet; stroke: $line-2; stroke-width: 1.5 }
.packetwalk .router path { fill: none; stroke: $ink-3; stroke-width: 1.2 }
.packetwalk .more rect { fill: none; stroke: $line-2; stroke-dasharray: 2 3 }
.packetwalk .trail { fill: none; stroke: $vermilion; stroke-width: 3; stroke-linejoin: round; stroke-linecap: round }
.packetwalk .trail { opacity: 0.62 }
.packetwalk .stop circle { fill: $vermilion-ink; stroke: $paper; stroke-width: 2 }
.packetwalk .stop text { fill: $paper; font-size: 10.5px; font-weight: 700 }
.packetwalk .rewrite { fill: $orange; stroke: $paper; stroke-width: 1.5 }
.packetwalk .ending circle { fill: $paper; stroke: $vermilion-ink; stroke-width: 2 }
.packetwalk .ending path { fill: none; stroke: $vermilion-ink; stroke-width: 2; stroke-linecap: round }
.packetwalk .ending path { stroke-linejoin: round }
.packetwalk .heading { font-size: 13px; font-weight: 600 }
.packetwalk .place { font-weight: 600 }
.packetwalk .rule { fill: none; stroke: $line; stroke-width: 1 }
"""


def style() -> str:
    """The whole style sheet: light, and what differs in the dark."""
    light, dark = [], []
    for selector, body in re.findall(r"^(.+?) \{ (.+) \}$", _RULES, re.MULTILINE):
        declarations = body.replace("PROSE", _PROSE).replace("MONO", _MONO)
        light.append(f"{selector} {{ {_coloured(declarations, 0)} }}")
        hues = "; ".join(one for one in declarations.split("; ") if "$" in one)
        if hues:
            dark.append(f"{selector} {{ {_coloured(hues, 1)} }}")
    inner = "\n".join(f"  {one}" for one in dark)
    return "\n".join(["", *light, "@media (prefers-color-scheme: dark) {", inner, "}", ""])


def _coloured(text: str, which: int) -> str:
    return re.sub(r"\$([a-z0-9-]+)", lambda found: PALETTE[found[1]][which], text)
