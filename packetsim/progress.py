"""Rule: long work shows that it goes on, to a person at a terminal and to nobody else.

Nothing is drawn in the first second. The line is drawn by a thread, since parsing and compiling
are single calls that report nothing on their way.
"""

from __future__ import annotations

from threading import Event, Thread
from time import monotonic
from types import TracebackType
from typing import TextIO

PATIENCE = 1.0  # seconds before anything is drawn
PACE = 0.2
BAR = 30


class Progress:
    """`with Progress("checking flows", stream, total=12) as bar: … bar.done += 1`."""

    def __init__(self, what: str, stream: TextIO, total: int = 0) -> None:
        self.what = what
        self.total = total
        self.done = 0
        self._stream = stream
        self._over = Event()
        self._thread = Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        if self._thread.ident is not None:
            self._thread.join()

    def line(self, seconds: float) -> str:
        """The bar after so many seconds."""
        if not self.total:
            return f"{self.what} … {seconds:.0f} s"
        filled = BAR * self.done // self.total
        return f"{self.what} [{'#' * filled}{'-' * (BAR - filled)}] {self.done}/{self.total}, {seconds:.0f} s"

    def _draw(self) -> None:
        start = monotonic()
        drawn = False
        if self._over.wait(PATIENCE):
            return
        while not self._over.wait(PACE):
            self._stream.write(f"\r\033[K{self.line(monotonic() - start)}")
            self._stream.flush()
            drawn = True
        if drawn:
            self._stream.write("\r\033[K")
            self._stream.flush()
