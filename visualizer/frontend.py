"""Rule: which built files the page loads is read from Vite's manifest, and from nowhere else."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

ENTRY = "src/main.ts"
_PLACES = (".vite/manifest.json", "manifest.json")


@dataclass(frozen=True, slots=True)
class Built:
    """Addresses below STATIC_URL. `modules`: what the script imports, to be fetched early."""

    script: str
    styles: tuple[str, ...]
    modules: tuple[str, ...]


def manifest_path() -> Path | None:
    return next((path for place in _PLACES if (path := settings.PACKETWALK_DIST / place).is_file()), None)


def built() -> Built | None:
    """What `npm run build` made; None when it has not run, or was stopped half-way."""
    path = manifest_path()
    if path is None:
        return None
    try:
        manifest: dict[str, dict[str, Any]] = json.loads(path.read_text())
        entry = manifest.get(ENTRY) or next(one for one in manifest.values() if one.get("isEntry"))
        return _of(entry, manifest)
    except (OSError, ValueError, KeyError, StopIteration, AttributeError):
        return None


def _of(entry: dict[str, Any], manifest: dict[str, dict[str, Any]]) -> Built:
    seen: dict[str, dict[str, Any]] = {}
    waiting = list(entry.get("imports", ()))
    while waiting:
        name = waiting.pop(0)
        if name not in seen:
            seen[name] = manifest[name]
            waiting.extend(manifest[name].get("imports", ()))
    styles = dict.fromkeys(style for one in (entry, *seen.values()) for style in one.get("css", ()))
    return Built(entry["file"], tuple(styles), tuple(one["file"] for one in seen.values()))
