"""Rule: the process: what `main` returns is the exit code, and a reader that goes away is no error to shout about."""

import os
import sys
from io import TextIOWrapper

from packetsim.cli import main

BROKEN_PIPE = 141  # 128 + SIGPIPE, as of any tool whose reader has gone
INTERRUPTED = 130


def run() -> int:
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without arrows gets a question mark, no traceback
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


if __name__ == "__main__":
    sys.exit(run())
