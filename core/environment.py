"""Rule: every setting has a default that works on one machine; PACKETWALK_* variables change it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def text(name: str, default: str) -> str:
    return os.environ.get(f"PACKETWALK_{name}", default)


def number(name: str, default: int) -> int:
    written = text(name, str(default))
    try:
        return int(written)
    except ValueError:
        raise SystemExit(f"PACKETWALK_{name} is {written!r}. Write a whole number, like {default}.") from None


def truth(name: str, default: bool) -> bool:
    written = text(name, "1" if default else "0").lower()
    if written not in ("0", "1", "false", "true", "no", "yes"):
        raise SystemExit(f"PACKETWALK_{name} is {written!r}. Write 1 or 0.")
    return written in ("1", "true", "yes")


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def secret_key(folder: Path) -> str:
    """The one given, else one of this machine's own, drawn once and kept beside the database."""
    given = text("SECRET_KEY", "")
    if given:
        return given
    path = folder / "secret-key"
    try:
        return path.read_text()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
        drawn = secrets.token_urlsafe(48)
        try:
            with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(drawn)
        except FileExistsError:  # another process was quicker
            return path.read_text()
        return drawn
