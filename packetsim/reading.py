"""Rule: files become Sources here; whatever cannot be read is told with its cure, all of it in one go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from packetsim.cluster import Source, source_from_bytes
from packetsim.errors import ManifestError, PacketsimError

SUFFIXES = (".yaml", ".yml", ".json")
STDIN = "-"
MOST = 32 * 1024 * 1024 + 1  # one byte more than manifests may have, so that the excess is seen and told


def read_sources(names: Iterable[str], stdin: BinaryIO) -> list[Source]:
    """The text of every file, of every manifest in a folder, and of standard input for `-`."""
    sources: list[Source] = []
    problems: list[str] = []
    for name in dict.fromkeys(names):
        try:
            sources.extend(_read(name, stdin))
        except OSError as error:
            problems.append(f"{name}: {error.strerror or error}. Name a file that can be read, a folder, or -.")
        except ManifestError as error:
            problems.append(str(error))
    if problems:
        raise PacketsimError("\n".join(problems))
    return sources


def _read(name: str, stdin: BinaryIO) -> Iterator[Source]:
    if name == STDIN:
        yield source_from_bytes("standard input", stdin.read(MOST))
        return
    path = Path(name)
    for file in _manifests(path) if path.is_dir() else [path]:
        with file.open("rb") as opened:
            yield source_from_bytes(str(file), opened.read(MOST))


def _manifests(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.is_file())
    if not found:
        raise OSError(f"no {', '.join(SUFFIXES)} file in this folder")
    return found
