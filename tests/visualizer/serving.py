"""Rule: a real server process, its own database, killed by its own number; clients are ordinary ones."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Server:
    """`python -m core` on a free port, with its data in `folder`."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PACKETWALK_")},
            "PACKETWALK_DATA": str(folder),
            "DJANGO_SETTINGS_MODULE": "core.settings",
            **variables,
        }
        self.port = _free_port()
        self._log = folder / "server.log"
        folder.mkdir(parents=True, exist_ok=True)
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0", "--skip-checks"]
        subprocess.run(migrate, cwd=ROOT, env=self._environment, check=True)
        self.start()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        return self._log.read_text()

    def start(self) -> None:
        with self._log.open("a") as file:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "core", "-b", "127.0.0.1", "-p", str(self.port)],
                cwd=ROOT,
                env=self._environment,
                stdout=file,
                stderr=file,
            )
        started = time.monotonic()
        while time.monotonic() - started < PATIENCE:
            assert self._process.poll() is None, self.log
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        """`kill -9`: no goodbye, no flush."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """As whoever runs it stops it."""
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()

    def memory(self) -> int:
        """Resident kilobytes."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])

    def worked(self) -> float:
        """Seconds of processor time so far; on an idle machine no less passes by the clock."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    # ---- HTTP ---------------------------------------------------------------------------------------------

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        finally:
            connection.close()

    def json(self, method: str, path: str, body: object = None) -> Any:
        status, _, content = self.ask(method, f"/api/v1{path}", None if body is None else json.dumps(body))
        assert status < 300, content
        return json.loads(content)

    def lab(self, **new: object) -> dict[str, str]:
        """A new lab's tokens, one a role."""
        links = self.json("POST", "/labs", new)
        return {role: links[role].rpartition("/")[2] for role in ("owner", "editor", "viewer")}

    # ---- websocket ------------------------------------------------------------------------------------------

    @contextmanager
    def page(self, token: str, seen: int | None = None) -> Iterator[Page]:
        origin = Origin(f"http://{self.host}")
        with connect(f"ws://{self.host}/ws/lab/{token}", origin=origin, max_size=None) as socket_:
            page = Page(socket_)
            page.say({"type": "hello", "protocol": 1, "seen": seen})
            yield page


class Page:
    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, message: object) -> None:
        self.connection.send(message if isinstance(message, str) else json.dumps(message))

    def hear(self, *types: str) -> Any:
        """The next message of one of these types; others are passed over, unless none is named."""
        while True:
            message = json.loads(self.connection.recv(timeout=PATIENCE))
            if not types or message["type"] in types:
                return message

    def do(self, command: object, name: str = "a") -> Any:
        self.say({"type": "ask", "id": name, "command": command})
        return self.hear("done", "refused", "goodbye")

    def missed(self, last: int) -> list[int]:
        """The numbers of the events that come until the one of this number."""
        seen: list[int] = []
        while not seen or seen[-1] < last:
            seen.append(self.hear("happened")["seq"])
        return seen


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
