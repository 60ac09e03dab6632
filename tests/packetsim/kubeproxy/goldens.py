"""Rule: a golden is never rewritten by a test; what came out instead lies beside it as `.actual`."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden"


def assert_golden(path: Path, text: str) -> None:
    """Fail with a diff unless the golden holds just this text."""
    actual = path.with_name(f"{path.name}.actual")
    expected = path.read_text() if path.exists() else ""
    if text == expected:
        actual.unlink(missing_ok=True)
        return
    actual.write_text(text)
    diff = unified_diff(expected.splitlines(), text.splitlines(), path.name, actual.name, lineterm="")
    raise AssertionError(f"{path} differs; if the new text is right, rename {actual.name}.\n" + "\n".join(diff))
