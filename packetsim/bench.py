"""Rule: every figure that has a limit is a ratio within this one run, so a slow machine changes nothing.

`python -m packetsim bench`. Nothing here asserts: it prints what it measured beside the limit.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from packetsim.cluster.changes import replace_endpoints
from packetsim.cluster.model import (
    Cluster,
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Key,
    Node,
    Pod,
    ProxyConfiguration,
    Service,
    ServicePort,
)
from packetsim.dice import RolledDice
from packetsim.kubeproxy.config import PARTS
from packetsim.kubeproxy.modes import COMPILERS, MODES
from packetsim.outcomes import outcomes
from packetsim.packet import Packet, build
from packetsim.parts import render
from packetsim.simulation import Simulation
from packetsim.trace import Flow

CLIENT = Pod("bench", "client", "node1", ("10.244.255.9",))


def cluster_of(services: int, endpoints: int) -> Cluster:
    """A cluster of two nodes, one client, and Services with endpoints that no Pod object stands for."""
    nodes = {
        "node1": Node("node1", ("192.168.10.11",), ("10.244.0.0/16",)),
        "node2": Node("node2", ("192.168.10.12",), ("10.245.0.0/16",)),
    }
    made: dict[Key, Service] = {}
    slices: dict[Key, tuple[EndpointSlice, ...]] = {}
    for number in range(services):
        key = ("bench", f"svc-{number:05}")
        ip = f"10.{96 + number // 65536}.{number // 256 % 256}.{number % 256}"
        made[key] = Service(*key, "ClusterIP", (ip,), (ServicePort("http", "tcp", 80, 8080),))
        slices[key] = (_slice(key, number, endpoints),)
    pods = {CLIENT.key: CLIENT}
    proxy = ProxyConfiguration(cluster_cidrs=("10.244.0.0/15",))
    return Cluster(nodes, pods, made, slices, ("10.96.0.0/12",), proxy, ("bench",))


def _slice(key: Key, number: int, endpoints: int) -> EndpointSlice:
    found = tuple(
        Endpoint(f"10.{244 + place % 2}.{number // 200 % 250}.{2 + (number * endpoints + place) % 250}", node=node)
        for place in range(endpoints)
        for node in (f"node{1 + place % 2}",)
    )
    distinct = tuple({one.address: one for one in found}.values())
    return EndpointSlice(key[0], f"{key[1]}-abcde", key[1], 4, (EndpointPort("http", "tcp", 8080),), distinct)


def _dice() -> RolledDice:
    return RolledDice(random.Random(7).randrange)


def _median(action: Callable[[], object], rounds: int) -> float:
    """Median seconds of one call."""
    took = []
    for _ in range(rounds):
        started = time.perf_counter()
        action()
        took.append(time.perf_counter() - started)
    return statistics.median(took)


def flow_to(cluster: Cluster) -> Flow:
    service = list(cluster.services.values())[-1]
    return Flow("bench/client", CLIENT.addresses[0], service.cluster_ips[0], 80, "tcp")


def one_walk(mode: str, cluster: Cluster) -> Callable[[], object]:
    """A walk with all steps and every frame's bytes; each call sends a connection of its own."""
    simulation = Simulation(cluster, mode, _dice())
    flow = flow_to(cluster)

    def walk() -> object:
        trace = simulation.send(flow)
        return [capture.packet.wire for leg in trace.legs for capture in leg.captures]

    walk()
    return walk


def scapy_alone(mode: str, cluster: Cluster) -> Callable[[], object]:
    """What scapy needs to build and serialise the packets of such a walk, each distinct one once."""
    trace = Simulation(cluster, mode, _dice()).send(flow_to(cluster))
    packets: dict[Packet, None] = dict.fromkeys(
        replace(capture.packet, mark=0) for leg in trace.legs for capture in leg.captures
    )
    return lambda: [bytes(build(packet)) for packet in packets]


def walk_against_scapy() -> None:
    print("1. one walk with all steps and bytes, ClusterIP with 3 endpoints, against scapy building its packets (≤ 2)")
    cluster = cluster_of(1, 3)
    for mode in MODES:
        walk, scapy = one_walk(mode, cluster), scapy_alone(mode, cluster)
        ours, theirs = _median(walk, 60), _median(scapy, 60)
        print(f"   {mode:10} {ours / theirs:6.2f}   ({ours * 1e3:.2f} ms against {theirs * 1e3:.2f} ms)")


def walk_against_size(services: int) -> None:
    print(f"2. the same walk among {services:,} Services against 10 (iptables ≤ 5, ipvs and nftables ≤ 2)")
    small, large = cluster_of(10, 3), cluster_of(services, 3)
    for mode in MODES:
        few, many = _median(one_walk(mode, small), 60), _median(one_walk(mode, large), 60)
        print(f"   {mode:10} {many / few:6.2f}   ({many * 1e3:.2f} ms against {few * 1e3:.2f} ms)")


def _compile_once(mode: str, services: int, endpoints: int) -> tuple[float, float, float, float]:
    """(compile s, render s, recompile s after one endpoint changed, peak MiB), in a process of its own."""
    cluster = cluster_of(services, endpoints)
    compile_mode = COMPILERS[mode]
    started = time.perf_counter()
    config = compile_mode(cluster, "node1", None)
    compiled = time.perf_counter()
    for part in PARTS:
        render(config, part)
    rendered = time.perf_counter()
    key = list(cluster.services)[-1]
    one = cluster.slices[key][0]
    changed = replace_endpoints(cluster, key, (replace(one, endpoints=one.endpoints[1:]),))
    again = time.perf_counter()
    compile_mode(changed, "node1", config)
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return compiled - started, rendered - compiled, done - again, peak


def compile_and_recompile(services: int, endpoints: int) -> None:
    print(f"3. compiling and rendering {services:,} Services x {endpoints} endpoints (aim < 10 s, < 1024 MiB), and")
    print("4. compiling again after one endpoint changed, as a share of the full compile (≤ 1 %)")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        for mode in MODES:
            full, text, again, peak = pool.submit(_compile_once, mode, services, endpoints).result()
            print(
                f"   {mode:10} {full + text:6.2f} s (compile {full:.2f}, render {text:.2f}), peak {peak:.0f} MiB;"
                f" again {again * 1e3:.1f} ms = {again / full:.2%}"
            )


def outcomes_at_size(services: int) -> None:
    print(f"5. all outcomes of one flow among {services:,} Services (≤ 50 ms)")
    cluster = cluster_of(services, 3)
    for mode in MODES:
        simulation = Simulation(cluster, mode, _dice())
        flow = flow_to(cluster)
        simulation.send(flow)
        fresh = Simulation(cluster, mode, _dice())
        fresh.config("node1"), fresh.config("node2")
        outcomes(fresh, flow)
        print(f"   {mode:10} {_median(lambda: outcomes(fresh, flow), 9) * 1e3:6.1f} ms")  # noqa: B023


def bulk(connections: int) -> None:
    print(f"6. {connections:,} new connections without recorded steps")
    cluster = cluster_of(10, 3)
    for mode in MODES:
        simulation = Simulation(cluster, mode, _dice())
        flow = flow_to(cluster)
        started = time.perf_counter()
        for number in range(connections):
            simulation.send(replace(flow, source_port=1024 + number % 60000), record=False)
            simulation.wait(0.01)
        took = time.perf_counter() - started
        print(f"   {mode:10} {connections / took:8,.0f} connections/s")


def main(argv: Sequence[str]) -> int:
    """Run every figure, or those named by number."""
    parser = argparse.ArgumentParser(prog="packetsim bench", description="Measure, and print ratios within this run.")
    parser.add_argument("figures", nargs="*", type=int, help="1 to 6; all when none is given")
    parser.add_argument("--services", type=int, default=10_000)
    parser.add_argument("--endpoints", type=int, default=10)
    parser.add_argument("--connections", type=int, default=100_000)
    options = parser.parse_args(argv)
    wanted = set(options.figures) or set(range(1, 7))
    figures: list[tuple[set[int], Callable[[], None]]] = [
        ({1}, walk_against_scapy),
        ({2}, lambda: walk_against_size(options.services)),
        ({3, 4}, lambda: compile_and_recompile(options.services, options.endpoints)),
        ({5}, lambda: outcomes_at_size(options.services)),
        ({6}, lambda: bulk(options.connections)),
    ]
    for numbers, run in figures:
        if numbers & wanted:
            run()
            sys.stdout.flush()
    return 0
