"""Rule: the process: what `main` returns is the exit code, and a reader that goes away is no error to shout about.

Standard output that cannot be written (a full disk) is told like bad input; a stream that was closed
before we began takes what is written and keeps nothing.
"""

import os
import sys
from io import StringIO, TextIOWrapper

from packetsim.cli import main

BAD_OUTPUT = 2
BROKEN_PIPE = 141  # 128 + SIGPIPE, as of any tool whose reader has gone
INTERRUPTED = 130


def run() -> int:
    sys.stdout = sys.stdout or StringIO()
    sys.stderr = sys.stderr or StringIO()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without arrows gets a question mark, no traceback
    try:
        code = main(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        _keep_nothing()
        return BROKEN_PIPE
    except OSError as error:
        _keep_nothing()
        print(f"standard output: {error.strerror or error}. Send it where there is room.", file=sys.stderr)
        return BAD_OUTPUT
    except KeyboardInterrupt:
        return INTERRUPTED
    return code


def _keep_nothing() -> None:
    """What is left in the buffer shall not fail once more when the process ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(run())
