"""Rule: prints each figure with its limit, as soon as it is known; exits with 1 when one is missed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench import fanout, pages
from tests.bench.figures import Figure

BENCHMARKS: dict[str, Callable[[Path], Iterator[Figure]]] = {
    "fanout": fanout.measure,
    "first": pages.first_page,
    "frames": pages.frames,
    "large": pages.large_lab,
}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark called {unknown[0]}. There are: {', '.join(BENCHMARKS)}.", file=sys.stderr)
        return 2
    print(f"load of this machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    missed = 0
    for name in names or BENCHMARKS:
        with tempfile.TemporaryDirectory(prefix="packetwalk-bench-") as folder:
            for figure in BENCHMARKS[name](Path(folder)):
                print(figure, flush=True)
                missed += figure.is_missed
    print("all limits are kept" if missed == 0 else f"{missed} limits are missed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
