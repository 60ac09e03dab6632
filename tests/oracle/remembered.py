"""Rule: a kernel is asked the same once. What is walked wrongly is then compared with what the kernel did long ago."""

from __future__ import annotations

import json
from typing import Any

from packetsim.oracle.talk import Asked


class Remembered:
    """A judge for one job: its first trial asks the kernel, every later one hears the same."""

    def __init__(self, judge: Asked) -> None:
        self._judge = judge
        self._said: dict[str, dict[str, Any]] = {}

    def ask(self, do: str, /, *, within: float, **fields: object) -> dict[str, Any]:
        question = json.dumps([do, fields], sort_keys=True)
        if question not in self._said:
            self._said[question] = self._judge.ask(do, within=within, **fields)
        return self._said[question]
