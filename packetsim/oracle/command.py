"""Rule: `verify` reads files or makes random clusters, asks a kernel, and tells; it judges nothing itself.

Exit codes are the command line's: 0 all agree, 1 some differ, 2 the input or the judge is not usable.
"""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from packetsim.addresses import with_port
from packetsim.cluster import MODES, Manifests
from packetsim.errors import PacketsimError
from packetsim.kubeproxy.modes import DEFAULT_MODE
from packetsim.oracle.comparison import Difference
from packetsim.oracle.judge import Judge, own_kernel, virtual_machine
from packetsim.oracle.regression import save_difference
from packetsim.oracle.trial import Judged
from packetsim.oracle.verify import FLOWS, Bench, Job, Verdict, jobs_of, random_jobs
from packetsim.progress import Progress
from packetsim.tracejson import flow_json

AGREE, DIFFER = 0, 1
KERNELS = ("vm", "own")
CASES = Path("tests/oracle/cases")


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--mode", choices=(*MODES, "all"), help="default: the FlowTests', else the cluster's; random: all"
    )
    parser.add_argument("--flows", type=int, metavar="N", help=f"flows a cluster and mode (default {FLOWS})")
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="the same seed makes the same flows (default 0)"
    )
    parser.add_argument("--random", type=int, metavar="N", help="judge N random clusters, too")
    parser.add_argument(
        "--save", type=Path, metavar="FOLDER", help=f"where differences of random clusters are kept (default {CASES})"
    )
    parser.add_argument(
        "--kernel", choices=KERNELS, default="vm", help="a virtual machine (make kernel), or this machine's own"
    )
    parser.add_argument("--json", action="store_true", help="the verdicts as JSON (docs/fidelity.md)")


def run(options: Namespace, load: Callable[[Sequence[str]], Manifests]) -> int:
    """`load` reads the manifests of files."""
    if not options.files and not options.random:
        raise PacketsimError("there is nothing to verify. Name files of manifests, or --random N.")
    if options.random is not None and not 1 <= options.random <= 1_000_000:
        raise PacketsimError("--random is a number of clusters. Use one from 1 to 1000000.")
    if options.flows is not None and not 1 <= options.flows <= 10_000:
        raise PacketsimError("--flows is a number of flows. Use one from 1 to 10000.")
    manifests = load(options.files) if options.files else None
    jobs, total = _jobs(options, manifests)
    with start_judge(options.kernel) as judge:
        return _judged(options, Bench(judge), jobs, total)


def start_judge(kind: str) -> Judge:
    """`kind`: one of KERNELS."""
    with Progress("starting the kernel", sys.stderr):
        return own_kernel() if kind == "own" else virtual_machine()


def _jobs(options: Namespace, manifests: Manifests | None) -> tuple[Iterator[Job], int]:
    """What is to be judged, and how many flows that is."""
    found: list[Job] = []
    if manifests is not None:
        modes = _modes(options.mode, manifests)
        found = jobs_of("the files' cluster", manifests, modes, options.flows, options.seed)
    total = sum(len(job.flows) for job in found)
    if not options.random:
        return iter(found), total
    modes = MODES if options.mode in (None, "all") else (options.mode,)
    flows = options.flows or FLOWS
    rest = random_jobs(options.random, options.seed, modes, flows)
    return _chained(found, rest), total + options.random * len(modes) * flows


def _chained(first: Iterable[Job], then: Iterable[Job]) -> Iterator[Job]:
    yield from first
    yield from then


def _modes(asked: str | None, manifests: Manifests) -> tuple[str, ...]:
    if asked == "all" or (asked is None and manifests.flow_tests):
        return MODES
    return (asked or manifests.cluster.proxy.mode or DEFAULT_MODE,)


# ---- telling ------------------------------------------------------------------------------------


def _judged(options: Namespace, bench: Bench, jobs: Iterator[Job], total: int) -> int:
    counts: dict[str, Counter[str]] = {}
    rows: list[dict[str, Any]] = []
    differ = False
    with Progress("asking the kernel", sys.stderr, total) as bar:
        for verdict in bench.judge_all(jobs, together=bool(options.random)):
            _count(counts, verdict)
            differ = differ or not verdict.agrees
            if options.json:
                rows.append(_verdict_json(verdict))
            else:
                _print(verdict, brief=bool(options.random))
            bar.done += len(verdict.job.flows)
            if not verdict.agrees and verdict.job.text:
                saved = save_difference(bench, verdict, verdict.job.text, options.save or CASES)
                print(f"shrunk and saved as {saved}", file=sys.stderr)
    if options.json:
        table = {mode: dict(found) for mode, found in counts.items()}
        print(json.dumps({"kernel": bench.hello.kernel, "modes": table, "verdicts": rows}, indent=2))
    else:
        _print_table(bench.hello.kernel, counts)
    return DIFFER if differ else AGREE


def _count(counts: dict[str, Counter[str]], verdict: Verdict) -> None:
    found = counts.setdefault(verdict.job.mode, Counter(agree=0, differ=0, skipped=0, texts_differ=0))
    found["texts_differ"] += len(verdict.texts)
    for one in verdict.flows:
        found["skipped" if one.skipped else "differ" if one.difference else "agree"] += 1


def _print(verdict: Verdict, brief: bool) -> None:
    """A line for each flow; `brief`: for each that differs, and one for the rest."""
    job = verdict.job
    for text in verdict.texts:
        print(f"DIFFERS {job.mode}: {text}")
    for one in verdict.flows:
        if one.difference is not None:
            print(f"DIFFERS {job.mode}: {_ends(one)}\n        {one.difference}")
        elif not brief:
            print(f"{'skipped' if one.skipped else 'agrees '} {job.mode}: {_ends(one)}: {_ending(one)}")
    if brief:
        agreeing = sum(one.difference is None and not one.skipped for one in verdict.flows)
        print(f"{job.name} {job.mode}: {agreeing} of {len(verdict.flows)} flows agree", flush=True)


def _ends(judged: Judged) -> str:
    flow = judged.flow
    via = f" via {flow.via}" if flow.via else ""
    return f"{flow.place} → {with_port(flow.destination, flow.port)} {flow.protocol}{via}"


def _ending(judged: Judged) -> str:
    if judged.trace is None:
        return judged.skipped
    endpoint = f" to {judged.trace.endpoint}" if judged.trace.endpoint else ""
    return f"{judged.trace.disposition.value}{endpoint}"


def _print_table(kernel: str, counts: dict[str, Counter[str]]) -> None:
    print(f"\nLinux {kernel}")
    for mode, found in counts.items():
        flows = found["agree"] + found["differ"]
        line = f"{mode}: {found['agree']} of {flows} flows agree"
        line += f", {found['skipped']} not asked" if found["skipped"] else ""
        line += f", {found['texts_differ']} texts read back otherwise" if found["texts_differ"] else ""
        print(line)


def _verdict_json(verdict: Verdict) -> dict[str, Any]:
    return {
        "cluster": verdict.job.name,
        "mode": verdict.job.mode,
        "texts": [difference_json(one) for one in verdict.texts],
        "flows": [
            {
                "flow": flow_json(one.flow),
                "agrees": None if one.skipped else one.difference is None,
                "skipped": one.skipped or None,
                "outcome": one.trace.disposition.value if one.trace else None,
                "endpoint": one.trace.endpoint if one.trace else None,
                "difference": difference_json(one.difference) if one.difference else None,
            }
            for one in verdict.flows
        ],
    }


def difference_json(difference: Difference) -> dict[str, str]:
    return {
        "aspect": difference.aspect,
        "place": difference.place,
        "kernel": difference.kernel,
        "ours": difference.ours,
    }
