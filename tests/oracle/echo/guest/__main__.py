"""Rule: a guest that gives back what it is told, for tests of the way there and back.

`wait`: after so many seconds; other requests are not held up. `size`: a text of that length with it. `fail`: an error
of these words. `garble`: says this, which is no reply. `die`: ends, with these words on the console.
"""

import json
import os
import sys
import threading
import time
from typing import Any

SPEAKING = threading.Lock()


def reply(request: dict[str, Any]) -> str:
    if "garble" in request:
        return str(request["garble"])
    if "fail" in request:
        return json.dumps({"id": request["id"], "error": request["fail"]})
    told = {name: value for name, value in request.items() if name != "id"}
    return json.dumps({"id": request["id"], "done": {**told, "pid": os.getpid(), "text": "x" * request.get("size", 0)}})


def carry_out(request: dict[str, Any]) -> None:
    time.sleep(request.get("wait", 0))
    if "die" in request:
        print(request["die"], file=sys.stderr, flush=True)
        os._exit(3)
    with SPEAKING:
        print(reply(request), flush=True)


for line in sys.stdin:
    threading.Thread(target=carry_out, args=(json.loads(line),)).start()
