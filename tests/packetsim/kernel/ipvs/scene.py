"""Rule: what the IPVS tests share: packets and visits in one line, and every way chance can go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping
from fractions import Fraction
from typing import cast

from packetsim.dice import Odds
from packetsim.hooks import Hook
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.traverse import Dropped, Ipvs, NoServer
from packetsim.kernel.visit import Facts, Visit
from packetsim.packet import Packet
from packetsim.ruletext import Line, ServerText
from packetsim.trace import Step

A, B, C, D = "10.244.1.1:8080", "10.244.1.2:8080", "10.244.1.3:8080", "10.244.1.4:8080"
VIP = "10.96.0.10"

KUBE_SYSCTLS = {
    "net.ipv4.vs.conntrack": "1",
    "net.ipv4.vs.expire_nodest_conn": "1",
    "net.ipv4.vs.expire_quiescent_template": "1",
}


class ScriptedDice:
    """Takes the ways it is told to; after those always the first. Remembers every choice that was asked for."""

    def __init__(self, *ways: int) -> None:
        self.ways = ways
        self.asked: list[int] = []

    def pick(self, odds: Odds) -> int:
        self.asked.append(len(odds.weights))
        place = len(self.asked) - 1
        return self.ways[place] if place < len(self.ways) else 0

    def draw(self, low: int, high: int) -> int:
        return low


def every_way(run: Callable[[ScriptedDice], Hashable]) -> dict[Hashable, Fraction]:
    """The exact chance of each result of `run`, over all the ways its dice can fall."""
    chances: defaultdict[Hashable, Fraction] = defaultdict(Fraction)
    todo: list[tuple[int, ...]] = [()]
    while todo:
        dice = ScriptedDice(*todo.pop())
        result = run(dice)
        chance = Fraction(1)
        for ways in dice.asked:
            chance /= ways
        chances[result] += chance
        given = len(dice.ways)
        taken = [*dice.ways, *([0] * (len(dice.asked) - given))]
        for place in range(given, len(dice.asked)):
            todo.extend((*taken[:place], way) for way in range(1, dice.asked[place]))
    return dict(chances)


def servers(
    *reals: str, scheduler: str = "rr", options: str = "", protocol: str = "-t", address: str = f"{VIP}:80"
) -> dict[str, ServerText]:
    """One virtual server; a real server may carry its weight: `10.244.1.1:8080 3`."""
    front = f"{protocol} {address}"
    lines = []
    for real in reals:
        endpoint, _, weight = real.partition(" ")
        lines.append(Line(f"-a {front} -r {endpoint} -m -w {weight or 1}"))
    return {front: ServerText(Line(f"-A {front} -s {scheduler}{options}"), tuple(lines))}


def ipvs(texts: Mapping[str, ServerText], sysctls: Mapping[str, str] | None = None) -> Ipvs:
    """A namespace whose real servers are added in the order of the text, so that the list is known."""
    made = Ipvs(sysctls, ordered=True)
    made.load(texts)
    return made


def packet(client: str = "10.244.2.9:40000", to: str = f"{VIP}:80", flags: str = "S", protocol: str = "tcp") -> Packet:
    source, _, source_port = client.rpartition(":")
    destination, _, port = to.rpartition(":")
    return Packet(
        source.strip("[]"),
        destination.strip("[]"),
        protocol,
        int(source_port),
        int(port),
        flags="" if protocol == "udp" else flags,
    )


def visit(
    what: Packet | None = None,
    now: float = 0.0,
    dice: ScriptedDice | None = None,
    steps: list[Step] | None = None,
    hook: Hook = Hook.INPUT,
    state: str = "NEW",
) -> Visit:
    nothing = cast(Facts, None)
    return Visit(nothing, hook, what or packet(), None, None, state, dice or ScriptedDice(), now, steps)


def real_of(result: object) -> str:
    """Where a scheduling led, in a word."""
    match result:
        case Connection():
            return result.real_text
        case NoServer():
            return "no server"
        case Dropped():
            return "dropped"
    return "left alone"


def connect(where: Ipvs, count: int, first_port: int = 40000, protocol: str = "tcp") -> list[str]:
    """Open that many connections, each from its own client port, and say where each went."""
    flows = (packet(f"10.244.2.9:{first_port + turn}", protocol=protocol) for turn in range(count))
    return [real_of(where.schedule(visit(one))) for one in flows]


def answer(connection: Connection, flags: str = "SA") -> Packet:
    """A packet from the connection's real server to its client."""
    return packet(connection.real_text, connection.client_text, flags, connection.protocol)
