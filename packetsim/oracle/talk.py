"""Rule: the values of `plan` become requests, and replies become values; here alone is known how they stand in JSON.

A dataclass is an object of its fields, bytes are base64 text.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Protocol

from packetsim.errors import OracleError
from packetsim.oracle.plan import Accepted, Load, Loaded, Plan, Probe, Report

ROUND = 600.0  # seconds that a request may take beside the patience of its probes


class Asked(Protocol):
    """A Judge, or what stands in for one."""

    def ask(self, do: str, /, *, within: float, **fields: object) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Hello:
    """`kernel`: as `uname -r` says it. `can`: what this kernel has beyond the least: "ipvs", "sctp", …"""

    kernel: str
    can: frozenset[str]


def hello(judge: Asked) -> Hello:
    said = judge.ask("hello", within=ROUND)
    with _understood("hello"):
        return Hello(str(said["kernel"]), frozenset(map(str, said["can"])))


def build(judge: Asked, plan: Plan) -> None:
    """Makes the namespaces, links and listeners of a cluster."""
    judge.ask("build", within=ROUND, plan=encode(plan))


def load(judge: Asked, cluster: str, loads: Sequence[Load], trace: bool = True) -> list[Loaded]:
    """Loads each node's texts; gives them as the kernel reads them back."""
    said = judge.ask("load", within=ROUND, cluster=cluster, loads=encode(loads), trace=trace)
    with _understood("load"):
        rules = _messages(said["rules"])
        return [Loaded(str(code), _texts(texts), rules.get(code, ())) for code, texts in said["texts"].items()]


def send(judge: Asked, cluster: str, probes: Sequence[Probe]) -> list[Report]:
    """Sends these flows one after the other; a report for each."""
    within = ROUND + sum(1 + 2 * probe.patience for probe in probes)
    said = judge.ask("send", within=within, cluster=cluster, probes=encode(probes))
    with _understood("send"):
        reports = [_report(report) for report in said["reports"]]
        if len(reports) != len(probes):
            raise ValueError(f"{len(reports)} reports for {len(probes)} probes")
    return reports


def reset(judge: Asked, cluster: str) -> None:
    """Back to what was just after `load`: connections closed, all that the kernel remembers of them forgotten."""
    judge.ask("reset", within=ROUND, cluster=cluster)


def drop(judge: Asked, cluster: str) -> None:
    """Unmakes the cluster."""
    judge.ask("drop", within=ROUND, cluster=cluster)


def encode(value: object) -> object:
    """A value of `plan` as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case bytes():
            return b64encode(value).decode()
        case Mapping():
            return {key: encode(each) for key, each in value.items()}
        case list() | tuple():
            return [encode(each) for each in value]
    if is_dataclass(value):
        return {field.name: encode(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} does not go over the wire")


def _report(said: Mapping[str, Any]) -> Report:
    return Report(
        began=float(said["began"]),
        heard=str(said["heard"]),
        error=str(said["error"]),
        accepted=tuple(_accepted(each) for each in said["accepted"]),
        events=_messages(said["events"]),
        conntrack=_messages(said["conntrack"]),
        ipvs=_texts(said["ipvs"]),
    )


def _accepted(said: Mapping[str, Any]) -> Accepted:
    return Accepted(
        str(said["code"]), str(said["peer"]), int(said["peer_port"]), str(said["address"]), int(said["port"])
    )


def _texts(said: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): str(text) for name, text in said.items()}


def _messages(said: Mapping[str, Any]) -> dict[str, tuple[bytes, ...]]:
    return {str(code): tuple(b64decode(text, validate=True) for text in texts) for code, texts in said.items()}


@contextmanager
def _understood(do: str) -> Iterator[None]:
    """A reply that lacks what it should hold is told as such."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise OracleError(f"the guest's reply to {do} is not understood: {error!r}") from error
