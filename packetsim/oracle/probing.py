"""Rule: flows that probe a cluster: first every kind of sender to every kind of destination, then by chance.

One flow in a row to a Service tells nothing of affinity or of an IPVS scheduler's turns, so those are sent in runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from packetsim.addresses import family_of
from packetsim.cluster.model import Cluster
from packetsim.oracle.probe_ends import Aim, Sender, aims, kinds, senders
from packetsim.trace import Flow

FIRST_PORT, LAST_PORT = 40000, 59999
STICKY_RUN, SCHEDULED_RUN = (2, 4), (6, 10)  # connections in a row: fewest, most
SCHEDULED_ODDS = 0.3
FAVOUR = 4  # how much more often chance sends to a Service than to what no rule takes

Kinds = tuple[str, str]
Pair = tuple[Sender, Aim]


def probes(cluster: Cluster, seed: int, count: int, mode: str) -> list[Flow]:
    """`count` flows, the same ones every time; each has a source port of its own."""
    chance = Random(seed)
    flows: list[Flow] = []
    for pair in _pairs(pairs(cluster), chance, mode):
        if len(flows) == count:
            break
        flows.append(_flow(*pair, source_port(len(flows)), chance))
    return flows


def pairs(cluster: Cluster) -> dict[Kinds, list[Pair]]:
    """Every sender with every destination it can send to, by their kinds."""
    found: dict[Kinds, list[Pair]] = {}
    everyone = list(senders(cluster))
    for aim in aims(cluster):
        for sender in everyone:
            both = kinds(cluster, sender, aim)
            if both is not None:
                found.setdefault(both, []).append((sender, aim))
    return found


def source_port(position: int) -> int:
    """That of the flow at this position (from 0)."""
    return FIRST_PORT + position % (LAST_PORT - FIRST_PORT + 1)


def _pairs(found: dict[Kinds, list[Pair]], chance: Random, mode: str) -> Iterator[Pair]:
    """Without end: each pair of kinds once, in an order of the seed's, then any. Services come first more often."""
    weights = {both: FAVOUR if choices[0][1].service is not None else 1 for both, choices in found.items()}
    order = sorted(found, key=lambda both: -(chance.random() ** (1 / weights[both])))  # a weighted shuffle
    for both in order:
        yield from _run(found[both], chance, mode)
    while order:
        (both,) = chance.choices(order, [weights[one] for one in order])
        yield from _run(found[both], chance, mode)


def _run(choices: Sequence[Pair], chance: Random, mode: str) -> Iterator[Pair]:
    """One pair, or several in a row to one destination where the next depends on the last."""
    sender, aim = chance.choice(choices)
    yield sender, aim
    if aim.service is None:
        return
    if mode == "ipvs" and chance.random() < SCHEDULED_ODDS:
        others = [one for one, other in choices if other is aim]
        for _ in range(chance.randint(*SCHEDULED_RUN) - 1):
            yield chance.choice([sender, *others]), aim
    elif aim.service.affinity_timeout is not None:
        for _ in range(chance.randint(*STICKY_RUN) - 1):
            yield sender, aim


def _flow(sender: Sender, aim: Aim, port: int, chance: Random) -> Flow:
    source = sender.address(family_of(aim.address))
    assert source is not None  # kinds() told so
    return Flow(
        place=sender.place,
        source=source,
        destination=aim.address,
        port=aim.port,
        protocol=aim.protocol,
        source_port=port,
        via=chance.choice(aim.entries) if sender.outside else None,
    )
