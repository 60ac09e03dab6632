"""Clusters side by side, their limits and their end; and requests that cannot be carried out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from packetsim.errors import OracleError
from packetsim.oracle import judge as judges
from packetsim.oracle import talk
from packetsim.oracle.judge import Judge, own_kernel
from packetsim.oracle.plan import Listener, Namespace, Plan
from tests.oracle.guest import scene
from tests.oracle.guest.scene import SERVICE, probe

pytestmark = pytest.mark.skipif(bool(scene.lacking()), reason=scene.lacking())


def lives(judge: Judge, name: str) -> list[str]:
    """One cluster's life: what its flows' senders hear."""
    talk.build(judge, scene.plan(name))
    scene.load(judge, name)
    sender = f"{name}client"
    probes = [probe(SERVICE, port, code=sender, patience=1) for port in (80, 80, 81)]
    probes += [probe(SERVICE, 53, "udp", code=sender, patience=1), probe(scene.DROPPED, 80, code=sender)]
    heard = [report.heard for report in talk.send(judge, name, probes)]
    talk.drop(judge, name)
    return heard


def test_eight_clusters_at_once() -> None:
    with own_kernel() as judge, ThreadPoolExecutor(8) as pool:
        names = [f"k{number}" for number in range(8)]
        heard = list(pool.map(lambda name: lives(judge, name), names))
    assert heard == [["answered"] * 4 + ["silence"]] * 8


def held() -> tuple[int, int]:
    """How many mounts of namespaces, and how many open files, the guest that this process started has."""
    (unshare,) = Path("/proc/thread-self/children").read_text().split()
    guest = Path("/proc", Path(f"/proc/{unshare}/task/{unshare}/children").read_text().strip())
    return (guest / "mountinfo").read_text().count(" nsfs "), len(list((guest / "fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/thread-self/children").exists(), reason="this kernel does not tell of children")
def test_a_drop_leaves_nothing() -> None:
    with own_kernel() as judge:
        before = held()
        talk.build(judge, scene.plan())
        assert held()[0] == before[0] + 6
        scene.load(judge)
        talk.send(judge, "c", [probe(SERVICE, port) for port in (80, 81, 84)])
        talk.drop(judge, "c")
        assert held() == before


def test_what_is_dropped_can_be_built_anew_and_is_unknown_until_then() -> None:
    with own_kernel() as judge:
        assert lives(judge, "c") == lives(judge, "c")
        with pytest.raises(OracleError, match="there is no cluster c; build it first"):
            talk.reset(judge, "c")
        talk.drop(judge, "c")


def changed(**fields: Any) -> Plan:
    return replace(scene.plan(), **fields)


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (
            changed(links=("link add name x type nosuch",)),
            "Unknown device type[^:]*Command failed -:1: link add name x type nosuch",
        ),
        (changed(listeners=(Listener("nobody", "tcp", "0.0.0.0", 80),)), "this cluster has no namespace nobody"),
        (changed(namespaces=(Namespace("a", "pod", (), {"net/no/such": "1"}),), links=()), "net/no/such"),
        (changed(namespaces=(Namespace("a", "pod", (), {}),) * 2), "there is a namespace a already"),
        (changed(namespaces=(Namespace("../a", "pod", (), {}),)), "letters, digits"),
        (changed(namespaces=(Namespace("a", "pod", (), {"net/../kernel/hostname": "x"}),)), "no sysctl below net/"),
        (changed(namespaces=(Namespace("a", "castle", (), {}),)), "one of node, pod, outside, router"),
        (changed(listeners=(Listener("cserver", "tcp", "0.0.0.0", 70000),)), "1 to 65535"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_plan_that_fails_leaves_nothing_behind(plan: Plan, why: str) -> None:
    with own_kernel() as judge:
        with pytest.raises(OracleError, match=why):
            talk.build(judge, plan)
        assert lives(judge, "c")[0] == "answered"


def test_a_load_that_fails_says_which_tool_and_why_and_another_may_follow() -> None:
    with own_kernel() as judge:
        talk.build(judge, scene.plan())
        for texts, why in (
            ({"iptables": "*nat\n-A NOWHERE -j ACCEPT\nCOMMIT\n"}, "iptables-nft-restore failed"),
            ({"nft": "table ip x {\n nonsense\n}\n"}, "nft -f - failed"),
            ({"poetry": "x"}, "there is no part 'poetry'"),
        ):
            with pytest.raises(OracleError, match=why):
                scene.load(judge, **texts)
        scene.load(judge)
        assert talk.send(judge, "c", [probe(SERVICE, 80)])[0].heard == "answered"
        with pytest.raises(OracleError, match="no namespace elsewhere"):
            talk.send(judge, "c", [probe(SERVICE, 80, code="elsewhere")])


def test_clusters_are_limited_in_number() -> None:
    with own_kernel() as judge:
        for number in range(16):
            talk.build(judge, Plan(f"k{number}", {}, (), (), ()))
        with pytest.raises(OracleError, match="16 clusters already"):
            talk.build(judge, Plan("more", {}, (), (), ()))
        talk.drop(judge, "k3")
        talk.build(judge, Plan("more", {}, (), (), ()))
        with pytest.raises(OracleError, match="there is a cluster more already"):
            talk.build(judge, Plan("more", {}, (), (), ()))


def started(*lines: str) -> list[dict[str, object]]:
    """The replies of a guest that gets these lines and then the end."""
    user = () if os.geteuid() == 0 else ("--user", "--map-root-user")
    apart = ("unshare", "--net", "--mount", "--pid", "--fork", *user)
    done = subprocess.run(
        [*apart, sys.executable, "-B", "-m", "guest"],
        cwd=judges.GUEST.parent,
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_what_is_no_request_gets_an_error_and_the_next_is_served() -> None:
    replies = started(
        "{",
        "[1]",
        '{"id": 3, "do": "dance"}',
        '{"id": 4, "do": "send", "cluster": "c", "probes": 7}',
        '{"id": 5, "do": "build", "plan": []}',
        '{"id": "six", "do": "hello"}',
    )
    errors = [reply["error"] for reply in replies[:5]]
    assert [reply["id"] for reply in replies] == [None, None, 3, 4, 5, "six"]
    assert "one of hello, build" in str(errors[2])
    done = replies[5]["done"]
    assert isinstance(done, dict) and done["kernel"] == os.uname().release
    assert {"trace", "conntrack", "bridge", "iptables", "nft", "ipv6"} <= set(done["can"])


def test_it_refuses_to_run_where_it_would_change_the_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-B", "-m", "guest"], cwd=judges.GUEST.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and "unshare" in done.stderr


def test_nothing_of_it_is_seen_outside() -> None:
    folder = Path("/run/netns")
    before = sorted(folder.iterdir()) if folder.is_dir() else []
    with own_kernel() as judge:
        talk.build(judge, scene.plan())
        assert (sorted(folder.iterdir()) if folder.is_dir() else []) == before
