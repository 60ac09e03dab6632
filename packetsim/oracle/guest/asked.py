"""Rule: what a request asks is checked here, once and whole; behind this file everything has its type and its limits.

The shapes are those of packetsim.oracle.plan. NamedTuples and not dataclasses: those take long to import on a
slow processor.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .faults import GuestError

PROTOCOLS = ("tcp", "udp", "sctp")
KINDS = ("node", "pod", "outside", "router")
PARTS = ("addresses", "ipset", "ipvs", "iptables", "ip6tables", "nft")
MOST_NAMESPACES = 256
MOST_ITEMS = 20_000  # of any list
MOST_PROBES = 256
LONGEST_PATIENCE = 60.0
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SYSCTL = re.compile(r"[\w./-]+")

T = TypeVar("T")


class Namespace(NamedTuple):
    code: str
    kind: str
    commands: list[str]
    sysctls: dict[str, str]
    forwarding: list[str]


class Listener(NamedTuple):
    code: str
    protocol: str
    address: str
    port: int


class Plan(NamedTuple):
    cluster: str
    namespaces: list[Namespace]
    links: list[str]
    listeners: list[Listener]


class Proxy(NamedTuple):
    address: str
    port: int
    protocol: str
    service_port: str
    endpoints: list[tuple[str, int]]
    affinity_timeout: int | None


class Load(NamedTuple):
    code: str
    texts: dict[str, str]
    sysctls: dict[str, str]
    proxies: list[Proxy]
    listeners: list[Listener]


class Probe(NamedTuple):
    code: str
    protocol: str
    source: str
    source_port: int
    destination: str
    port: int
    routes: list[tuple[str, str]]
    nodes: list[str]
    patience: float


class Fields:
    """A JSON object that is asked for its fields, each with its type; whatever is amiss is a GuestError."""

    def __init__(self, value: object, what: str) -> None:
        if not isinstance(value, dict):
            raise GuestError(f"{what} should be an object")
        self._value: dict[str, Any] = value
        self._what = what

    def _get(self, name: str, kind: type[T]) -> T:
        value = self._value.get(name)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise GuestError(f"{self._what}: `{name}` should be {_KIND_NAMES[kind]}")
        return value

    def text(self, name: str) -> str:
        value = self._get(name, str)
        if "\0" in value:
            raise GuestError(f"{self._what}: `{name}` holds a zero byte")
        return value

    def code(self, name: str) -> str:
        return code(self.text(name), f"{self._what}: `{name}`")

    def one_of(self, name: str, words: tuple[str, ...]) -> str:
        value = self.text(name)
        if value not in words:
            raise GuestError(f"{self._what}: `{name}` should be one of {', '.join(words)}, not {value!r}")
        return value

    def whole(self, name: str, least: int, most: int) -> int:
        value = self._get(name, int)
        if not least <= value <= most:
            raise GuestError(f"{self._what}: `{name}` should be {least} to {most}, not {value}")
        return value

    def seconds(self, name: str, most: float) -> float:
        value = self._value.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            raise GuestError(f"{self._what}: `{name}` should be 0 to {most:g} seconds")
        return float(value)

    def flag(self, name: str) -> bool:
        return self._get(name, bool)

    def each(self, name: str, read: Callable[[object], T], most: int = MOST_ITEMS) -> list[T]:
        values = self._get(name, list)
        if len(values) > most:
            raise GuestError(f"{self._what}: `{name}` may have {most} items at most, not {len(values)}")
        return [read(value) for value in values]

    def texts(self, name: str) -> dict[str, str]:
        found = Fields(self._value.get(name), f"{self._what}: `{name}`")
        return {key: found.text(key) for key in found._value}

    def optional(self, name: str, read: Callable[[str], T]) -> T | None:
        return None if self._value.get(name) is None else read(name)


_KIND_NAMES = {str: "text", int: "a whole number", list: "a list", bool: "true or false"}


def code(value: object, what: str) -> str:
    """A name that may stand in a path and a command."""
    if not isinstance(value, str) or not _CODE.fullmatch(value):
        raise GuestError(f"{what} should be letters, digits, - or _, 32 at most, not {value!r}")
    return value


def plan(value: object) -> Plan:
    found = Fields(value, "plan")
    return Plan(
        found.code("cluster"),
        found.each("namespaces", _namespace, MOST_NAMESPACES),
        found.each("links", _line),
        found.each("listeners", _listener),
    )


def _namespace(value: object) -> Namespace:
    found = Fields(value, "namespace")
    return Namespace(
        found.code("code"),
        found.one_of("kind", KINDS),
        found.each("commands", _line),
        _sysctls(found.texts("sysctls")),
        found.optional("forwarding", lambda name: found.each(name, _line)) or [],
    )


def _line(value: object) -> str:
    if not isinstance(value, str) or "\n" in value or "\0" in value:
        raise GuestError(f"a command should be one line of text, not {value!r}")
    return value


def _sysctls(values: dict[str, str]) -> dict[str, str]:
    """Paths under /proc/sys. kube-proxy's own names have dots: `net.ipv4.ip_forward`."""
    paths = {key if "/" in key else key.replace(".", "/"): value for key, value in values.items()}
    for path in paths:
        if not _SYSCTL.fullmatch(path) or not path.startswith("net/") or ".." in path.split("/"):
            raise GuestError(f"{path!r} is no sysctl below net/")
    return paths


def _listener(value: object) -> Listener:
    found = Fields(value, "listener")
    return Listener(
        found.code("code"),
        found.one_of("protocol", PROTOCOLS),
        found.one_of("address", ("0.0.0.0", "::")),
        found.whole("port", 1, 65535),
    )


def load(value: object) -> Load:
    found = Fields(value, "load")
    texts = found.texts("texts")
    for part in texts:
        if part not in PARTS:
            raise GuestError(f"load: there is no part {part!r}, only {', '.join(PARTS)}")
    return Load(
        found.code("code"),
        texts,
        _sysctls(found.texts("sysctls")),
        found.each("proxies", _proxy),
        found.each("listeners", _listener),
    )


def _proxy(value: object) -> Proxy:
    found = Fields(value, "proxy")
    return Proxy(
        found.text("address"),
        found.whole("port", 1, 65535),
        found.one_of("protocol", ("tcp", "udp")),
        found.text("service_port"),
        found.each("endpoints", _endpoint),
        found.optional("affinity_timeout", lambda name: found.whole(name, 0, 1 << 31)),
    )


def _endpoint(value: object) -> tuple[str, int]:
    """`10.244.1.5:8080` or `[fd00::5]:8080`."""
    address, _, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not address or not port.isdecimal():
        raise GuestError(f"an endpoint should be ADDRESS:PORT, not {value!r}")
    return address.strip("[]"), int(port)


def probe(value: object) -> Probe:
    found = Fields(value, "probe")
    return Probe(
        found.code("code"),
        found.one_of("protocol", PROTOCOLS),
        found.text("source"),
        found.whole("source_port", 0, 65535),
        found.text("destination"),
        found.whole("port", 1, 65535),
        found.each("routes", _route),
        found.each("nodes", lambda each: code(each, "probe: a node"), MOST_NAMESPACES),
        found.seconds("patience", LONGEST_PATIENCE),
    )


def _route(value: object) -> tuple[str, str]:
    if not isinstance(value, list) or len(value) != 2:
        raise GuestError(f"a route should be [code, `ip` command], not {value!r}")
    return code(value[0], "route: code"), _line(value[1])
