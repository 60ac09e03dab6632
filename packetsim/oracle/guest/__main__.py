"""Rule: requests come in on standard input and replies go out on standard output; nothing else is said there."""

from __future__ import annotations

import os
import sys

from . import namespaces
from .channel import Channel
from .desk import Desk

_APART = "run the guest in namespaces of its own: unshare --net --mount --pid --fork python3 -m guest"


def main() -> None:
    # In a virtual machine it is a child of the first process.
    if 1 not in (os.getpid(), os.getppid()):
        sys.exit(_APART)
    os.environ["PATH"] = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    os.environ["LC_ALL"] = "C.UTF-8"
    reading, writing = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    namespaces.prepare()
    namespaces.allow_many_files()
    Desk(Channel(reading, writing)).serve()


if __name__ == "__main__":
    main()
