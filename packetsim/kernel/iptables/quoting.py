"""Rule: words and quotes are read as iptables-restore reads them and written as iptables-save writes them.

Only the double quote quotes, and only inside it does a backslash escape (add_param_to_argv in
iptables/xshared.c); printing after xtables_save_string in libxtables/xtables.c (1.8.9).
"""

from __future__ import annotations

import re

from packetsim.kernel.iptables.model import RefusalError

_PLAIN = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_ESCAPED = re.compile(r"[\"'\\]")
_WORD = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"]+))(?=\s|$)', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def quoted(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    return '"' + _ESCAPED.sub(r"\\\g<0>", text) + '"'


def split_words(line: str) -> list[str]:
    """The line's words, quotes taken off."""
    if '"' not in line:
        return line.split()
    if "\\" not in line:
        parts = line.split('"')
        if len(parts) == 3 and parts[0].endswith(" ") and (parts[2].startswith(" ") or not parts[2]):
            return [*parts[0].split(), parts[1], *parts[2].split()]
    return _split_any(line.rstrip())


def _split_any(line: str) -> list[str]:
    words: list[str] = []
    at = 0
    while at < len(line):
        found = _WORD.match(line, at)
        if found is None:
            raise RefusalError(f"cannot read {line[at:].strip()!r}; every quote must be closed and end a word")
        inside, bare = found.groups()
        words.append(bare if inside is None else _ESCAPE.sub(r"\1", inside))
        at = found.end()
    return words
