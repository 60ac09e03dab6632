"""Rule: the command line reads files, asks the engine, and prints; it decides nothing about packets.

Exit codes: 0 done (for `check`: all passed), 1 some flows failed or a kernel differs, 2 the input is bad. Results go to
standard output, everything else to standard error.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from random import Random
from textwrap import indent
from typing import NoReturn

from packetsim import pcapng
from packetsim.check import Check, FlowResult, outcome_json, report_json
from packetsim.cluster import MODES, Manifests, load
from packetsim.dice import RolledDice
from packetsim.errors import PacketsimError
from packetsim.flows import flow_from
from packetsim.kubeproxy.config import PARTS
from packetsim.kubeproxy.modes import DEFAULT_MODE
from packetsim.narration import narrate
from packetsim.oracle.command import KERNELS, start_judge
from packetsim.oracle.command import add_arguments as add_verify_arguments
from packetsim.oracle.command import run as verify
from packetsim.oracle.marks import AGREES, DIFFERS
from packetsim.oracle.verified_walk import VerifiedWalk, verified_json, verified_walk
from packetsim.outcomes import FlowOutcome, outcomes
from packetsim.parts import render, render_all
from packetsim.progress import Progress
from packetsim.protocols import TRANSPORTS
from packetsim.reading import read_sources
from packetsim.simulation import Simulation
from packetsim.trace import Flow, Trace
from packetsim.tracejson import flow_json, to_json

PASSED, FAILED, BAD_INPUT = 0, 1, 2
LONGEST = 400  # letters of a complaint about the arguments, which repeats them
FILES_HELP = "Kubernetes manifests, YAML or JSON; a folder stands for those in it, - for standard input"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code."""
    options, rest = _parser().parse_known_args(argv)
    command: Callable[[Namespace, list[str]], int] = options.command
    if rest and command is not _bench:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        return command(options, rest)
    except PacketsimError as error:
        _tell(str(error))
        return BAD_INPUT


class _Parser(ArgumentParser):
    """Repeats what was typed, but neither at any length nor with what a terminal would obey."""

    def error(self, message: str) -> NoReturn:
        super().error(_harmless(message if len(message) <= LONGEST else f"{message[:LONGEST]}…"))


def _parser() -> ArgumentParser:
    parser = _Parser(
        prog="python -m packetsim",
        description="Kubernetes manifests in; kube-proxy's rules and packets' walks out.",
        epilog="Exit codes: 0 done, or every flow passed; 1 some flow failed, or a kernel differs; 2 the input is bad.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, command: Callable[[Namespace, list[str]], int], text: str, files: str = "+") -> ArgumentParser:
        """`files`: how many (as `nargs` says it); "" for a command that reads none and explains itself."""
        one = commands.add_parser(name, help=text, description=text, add_help=bool(files))
        one.set_defaults(command=command)
        if files:
            one.add_argument("files", nargs=files, metavar="FILE", help=FILES_HELP)
        return one

    rules = add("rules", _rules, "Print what kube-proxy writes on a node.")
    rules.add_argument("--node", required=True, help="the node whose rules are printed")
    _add_mode(rules)
    rules.add_argument("--part", choices=PARTS, help="this part alone, loadable as it is")

    trace = add("trace", _trace, "Walk one packet, its answer, and what completes the handshake.")
    trace.add_argument("--from", dest="source", required=True, metavar="SRC", help="NS/POD, a node, or an IP address")
    trace.add_argument(
        "--to",
        dest="target",
        required=True,
        metavar="DST",
        help="NS/SERVICE[:PORT], NS/POD:PORT, NODE:PORT, IP:PORT or [IPv6]:PORT",
    )
    trace.add_argument("--protocol", type=str.lower, choices=TRANSPORTS, help="default: the named port's, else tcp")
    _add_mode(trace)
    trace.add_argument("--via", metavar="NODE", help="the node at which an outside sender's packet enters")
    trace.add_argument("--seed", type=int, metavar="N", help="the same seed rolls the same dice (default 0)")
    trace.add_argument("--outcomes", action="store_true", help="every possible outcome with its exact probability")
    trace.add_argument("--json", action="store_true", help="the trace model (docs/trace.md)")
    trace.add_argument("--pcap", metavar="OUT", type=Path, help="also write the walk as a pcapng file")
    trace.add_argument(
        "--verify",
        action="store_true",
        help="send it through a real Linux kernel, too: the walk is the branch the kernel took, each step has its word",
    )
    trace.add_argument(
        "--kernel", choices=KERNELS, help="which: a virtual machine (make kernel; the default), or this machine's own"
    )

    check = add("check", _check, "Run the FlowTests among the manifests.")
    check.add_argument("--json", action="store_true", help="the results as JSON (docs/flowtest.md)")

    verify = add("verify", _verify, "Send flows through a real Linux kernel and compare, step by step.", files="*")
    add_verify_arguments(verify)

    add("bench", _bench, "Measure the engine on this machine; `bench --help` tells more.", files="")
    return parser


def _add_mode(parser: ArgumentParser) -> None:
    parser.add_argument("--mode", choices=MODES, help="default: the KubeProxyConfiguration's, else iptables")


# ---- commands -----------------------------------------------------------------------------------


def _rules(options: Namespace, _rest: list[str]) -> int:
    manifests = _load(options.files)
    nodes = manifests.cluster.nodes
    if options.node not in nodes:
        close = get_close_matches(options.node, nodes, n=3) or list(nodes)[:6]
        cure = f"Use {' or '.join(close)}" if close else "Add a Node to the manifests"
        raise PacketsimError(f"there is no node {options.node!r}. {cure}.")
    mode = _mode(options.mode, manifests)
    simulation = Simulation(manifests.cluster, mode, _dice(0))
    with Progress(f"compiling {mode} rules", sys.stderr):
        config = simulation.config(options.node)
        text = render(config, options.part) if options.part else render_all(config)
    if not text:
        what = f"no {options.part} part" if options.part else "no rules"
        _tell(f"kube-proxy in {mode} mode leaves {what} on {options.node}")
    sys.stdout.write(text)
    return PASSED


def _trace(options: Namespace, _rest: list[str]) -> int:
    _refuse_at_odds(options)
    manifests = _load(options.files)
    flow = flow_from(manifests.cluster, options.source, options.target, options.protocol, options.via)
    _tell_about_entry(flow, options.via, manifests)
    mode = _mode(options.mode, manifests)
    if options.verify:
        return _trace_verified(options, manifests, mode, flow)
    simulation = Simulation(manifests.cluster, mode, _dice(options.seed or 0))
    if options.outcomes:
        with Progress("working out every outcome", sys.stderr):
            found = outcomes(simulation, flow)
        _print_outcomes(flow, simulation.mode, found, options.json)
    if options.pcap or not options.outcomes:
        with Progress("walking", sys.stderr):
            trace = simulation.send(flow)
        if options.pcap:
            _write_capture(trace, options.pcap)
        if not options.outcomes:
            _print_trace(trace, options.json)
    return PASSED


def _refuse_at_odds(options: Namespace) -> None:
    if options.verify and options.outcomes:
        raise PacketsimError("--verify sends one packet and --outcomes asks for every outcome. Leave out one of them.")
    if options.verify and options.seed is not None:
        raise PacketsimError("with --verify the kernel rolls the dice. Leave out --seed.")
    if options.kernel and not options.verify:
        raise PacketsimError("--kernel says which kernel is to judge. Add --verify.")


def _trace_verified(options: Namespace, manifests: Manifests, mode: str, flow: Flow) -> int:
    with start_judge(options.kernel or KERNELS[0]) as judge, Progress("asking the kernel", sys.stderr):
        walk = verified_walk(judge, manifests.cluster, mode, flow)
    if options.pcap:
        _write_capture(walk.trace, options.pcap)
    if options.json:
        _print_json(to_json(walk.trace, marks=walk.marks) | {"verified": verified_json(walk)})
    else:
        _print_verified(walk)
    return PASSED if walk.agrees else FAILED


def _check(options: Namespace, _rest: list[str]) -> int:
    manifests = _load(options.files)
    check = Check(manifests, _dice(0))
    if not len(check):
        raise PacketsimError("there is no FlowTest in these files. Add one; docs/flowtest.md shows how.")
    results = []
    with Progress("checking flows", sys.stderr, len(check)) as bar:
        for result in check:
            results.append(result)
            bar.done += 1
    if options.json:
        _print_json(report_json(results))
    else:
        _print_results(check, results)
    return PASSED if all(result.passed for result in results) else FAILED


def _verify(options: Namespace, _rest: list[str]) -> int:
    return verify(options, _load)


def _bench(_options: Namespace, rest: list[str]) -> int:
    from packetsim import bench  # what it measures with need not be loaded for a walk

    return bench.main(rest)


# ---- what goes in -------------------------------------------------------------------------------


def _load(files: Sequence[str]) -> Manifests:
    sources = read_sources(files, getattr(sys.stdin, "buffer", BytesIO()))
    with Progress("reading manifests", sys.stderr):
        manifests = load(sources)
    for notice in manifests.notices:
        _tell(notice)
    return manifests


def _mode(asked: str | None, manifests: Manifests) -> str:
    return asked or manifests.cluster.proxy.mode or DEFAULT_MODE


def _dice(seed: int) -> RolledDice:
    return RolledDice(Random(seed).randrange)


def _tell_about_entry(flow: Flow, via: str | None, manifests: Manifests) -> None:
    """`--via` that changes nothing, and its absence where it would."""
    cluster = manifests.cluster
    if via is not None and flow.via is None:
        _tell(f"--via {via} changes nothing: {flow.place} sends from inside the cluster")
    inside = flow.place in cluster.nodes or tuple(flow.place.split("/")) in cluster.pods
    if inside or flow.via is not None:
        return
    for service in cluster.services.values():
        balanced = (one.ip for one in service.ingress)
        if flow.destination in (*service.cluster_ips, *service.external_ips, *balanced):
            name = f"Service {service.namespace}/{service.name}"
            _tell(f"{flow.destination} is of {name}, and no node owns it: with --via NODE the packet enters there")
            return


# ---- what comes out -----------------------------------------------------------------------------


def _tell(text: str) -> None:
    """To standard error, with nothing in it that a terminal would obey."""
    print(_harmless(text), file=sys.stderr)


def _harmless(text: str) -> str:
    return "".join(
        letter if letter.isprintable() or letter == "\n" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def _print_json(data: object) -> None:
    print(json.dumps(data, indent=2))


def _print_trace(trace: Trace, as_json: bool) -> None:
    if as_json:
        _print_json(to_json(trace))
    else:
        sys.stdout.write(narrate(trace, styled=sys.stdout.isatty()))


def _print_verified(walk: VerifiedWalk) -> None:
    signs = {AGREES: "✓", DIFFERS: "✗"}
    if not _can_print("".join(signs.values())):
        signs = {word: f"[{word}]" for word in signs}
    print(f"Judged by Linux {walk.kernel}: {signs[AGREES]} it did the same, {signs[DIFFERS]} it did not.\n")
    words = {position: signs[word] for position, word in walk.marks.items()}
    sys.stdout.write(narrate(walk.trace, sys.stdout.isatty(), words))
    if walk.difference is None:
        print("\nThe kernel agrees.")
    else:
        print(f"\nTHE KERNEL DIFFERS: {_harmless(str(walk.difference))}")


def _can_print(text: str) -> bool:
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _write_capture(trace: Trace, path: Path) -> None:
    try:
        with path.open("wb") as file:
            pcapng.write(trace, file)
    except OSError as error:
        raise PacketsimError(f"{path}: {error.strerror}. Name a file that can be written.") from None


def _print_outcomes(flow: Flow, mode: str, found: tuple[FlowOutcome, ...], as_json: bool) -> None:
    if as_json:
        _print_json({"flow": flow_json(flow), "mode": mode, "outcomes": [outcome_json(one) for one in found]})
        return
    rows = [("PROBABILITY", "OUTCOME", "ENDPOINT", "SOURCE SEEN", "MASQUERADED"), *map(_outcome_row, found)]
    print(_table(rows))
    for one in found:
        if one.why and one.disposition.value != "delivered":
            print(f"{one.disposition.value}: {one.why}")
    if any(one.probability != one.kernel_probability for one in found):
        print("The kernel's whole-number dice come close to these fractions, not quite to them (--json has both).")


def _outcome_row(one: FlowOutcome) -> tuple[str, ...]:
    masqueraded = ("yes" if one.masqueraded else "no") if one.source_seen else "-"
    return str(one.probability), one.disposition.value, one.endpoint or "-", one.source_seen or "-", masqueraded


def _table(rows: Sequence[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _print_results(check: Check, results: Sequence[FlowResult]) -> None:
    for result in results:
        word = "pass" if result.passed else "FAIL"
        print(_harmless(f"{word}  {result.mode}: {result.expected.name}"))
        if result.differences:
            print(_harmless(indent("\n".join(result.differences), "      ")), end="\n\n")
            print(indent(narrate(check.walk(result)), "      "))
    failed = sum(not result.passed for result in results)
    print(f"{len(results) - failed} passed, {failed} failed")
