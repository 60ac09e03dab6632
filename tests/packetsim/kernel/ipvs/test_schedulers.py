"""Rule: each scheduler gives the sequence that its kernel module gives, worked out by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from packetsim.addresses import with_port
from packetsim.kernel.ipvs.connections import Connection
from packetsim.kernel.ipvs.maglev import SIZE, entry_of, fill
from packetsim.kernel.ipvs.model import SCHEDULERS
from packetsim.kernel.ipvs.traverse import Ipvs
from packetsim.ruletext import ServerText
from packetsim.trace import Scheduled, Step
from tests.packetsim.kernel.ipvs.scene import (
    A,
    B,
    C,
    D,
    ScriptedDice,
    answer,
    connect,
    every_way,
    ipvs,
    packet,
    real_of,
    servers,
    visit,
)

NAMES = {A: "A", B: "B", C: "C", D: "D", "no server": "-"}
SAME = [A, B, C]
WEIGHTED = [f"{A} 4", f"{B} 3", f"{C} 2"]


def letters(went: list[str]) -> str:
    return "".join(NAMES[one] for one in went)


@pytest.mark.parametrize(
    ("scheduler", "reals", "expected"),
    [
        # Added A, B, C, so the kernel's list reads C B A; connections are held open.
        ("rr", SAME, "CBACBA"),
        ("rr", WEIGHTED, "CBACBA"),
        ("rr", [A, f"{B} 0", C], "CACACA"),
        ("rr", [f"{A} 0", f"{B} 0"], "--"),
        ("wrr", SAME, "CBACBA"),
        ("wrr", WEIGHTED, "CBA" "A" "BA" "CBA" "CBA" "A" "BA"),
        ("wrr", [f"{A} 4", f"{B} 2"], "BA" "A" "BA" "A" "BA"),  # step 2, required weights 3 and 1
        ("wrr", [f"{A} 0", B], "BBB"),
        ("wrr", [f"{A} 0"], "-"),
        ("lc", SAME, "CBACBA"),
        ("lc", WEIGHTED, "CBACBA"),
        ("lc", [f"{A} 0", B], "BBB"),
        ("wlc", WEIGHTED, "CBAABCABA"),
        ("wlc", [f"{A} 0"], "-"),
        ("sed", WEIGHTED, "ABCABACBA"),
        ("sed", SAME, "CBACBA"),
        ("nq", WEIGHTED, "CBAABACBA"),
        ("nq", [f"{A} 0", f"{B} 0"], "-"),
        ("nq", [f"{A} 9", f"{B} 0"], "AA"),
        ("dh", SAME, "AAAA"),  # 10.96.0.10 hashes to bucket 242: place 242 mod 3
        ("dh", [f"{A} 0", B, C], "--"),
    ],
)  # fmt: skip
def test_connections_are_spread_in_the_kernels_sequence(scheduler: str, reals: list[str], expected: str) -> None:
    where = ipvs(servers(*reals, scheduler=scheduler))
    assert letters(connect(where, len(expected))) == expected


@pytest.mark.parametrize("scheduler", SCHEDULERS)
def test_without_real_servers_there_is_no_server(scheduler: str) -> None:
    assert connect(ipvs(servers(scheduler=scheduler)), 1) == ["no server"]


def test_wrr_bound_to_a_full_list_starts_at_the_highest_weight() -> None:
    """ip_vs_wrr_init_svc on the list A B C, weights 4 3 2."""
    reals = [f"{C} 2", f"{B} 3", f"{A} 4"]
    where = ipvs(servers(*reals, scheduler="rr"))
    connect(where, 1)
    where.load(servers(*reals, scheduler="wrr"))
    assert letters(connect(where, 9, first_port=50000)) == "AABABCABC"


def test_wrr_keeps_a_required_weight_that_still_fits() -> None:
    """After C B A and A the required weight is 4; without A the highest is 3, so it becomes 3: B, then C B."""
    where = ipvs(servers(*WEIGHTED, scheduler="wrr", protocol="-u"))
    assert letters(connect(where, 4, protocol="udp")) == "CBAA"
    where.load(servers(*WEIGHTED[1:], scheduler="wrr", protocol="-u"))
    assert letters(connect(where, 4, first_port=50000, protocol="udp")) == "BCBC"


def test_wrr_fits_the_required_weight_to_a_new_step() -> None:
    """A4 B2: required 1 gives B A, then 3 gives A. With C6 the step is 2 again and 3 stays: C A, 1: C B A, 5: C."""
    where = ipvs(servers(f"{A} 4", f"{B} 2", scheduler="wrr", protocol="-u"))
    assert letters(connect(where, 3, protocol="udp")) == "BAA"
    where.load(servers(f"{A} 4", f"{B} 2", f"{C} 6", scheduler="wrr", protocol="-u"))
    assert letters(connect(where, 6, first_port=50000, protocol="udp")) == "CACBAC"


def test_rr_goes_on_behind_the_cursor_when_servers_come_and_go() -> None:
    where = ipvs(servers(A, B, C, protocol="-u"))
    assert letters(connect(where, 2, protocol="udp")) == "CB"
    where.load(servers(A, C, protocol="-u"))  # the cursor's server goes: it steps back to C
    assert letters(connect(where, 1, 41000, "udp")) == "A"
    where.load(servers(A, C, D, protocol="-u"))  # D comes to the head, reached when the cursor wraps
    assert letters(connect(where, 3, 42000, "udp")) == "DCA"


def test_least_connections_count_inactive_ones_as_a_256th() -> None:
    where = ipvs(servers(A, B, scheduler="lc"))
    first = where.schedule(visit())
    assert isinstance(first, Connection)
    assert first.real_text == B
    where.reply(answer(first, "RA"))  # reset, so inactive
    assert letters(connect(where, 3, 50000)) == "ABA"


def test_an_active_connection_weighs_as_much_as_256_inactive_ones() -> None:
    where = ipvs(servers(A, scheduler="lc"))
    for port in range(40000, 40200):
        where.schedule(visit(packet(f"10.244.2.9:{port}")))
        where.reply(packet(A, f"10.244.2.9:{port}", "RA"))
    where.load(servers(A, B, scheduler="lc"))
    assert letters(connect(where, 3, 50000)) == "BAB"  # 0, then 200 against 256, then 456 against 256


def test_udp_never_counts_as_active() -> None:
    """sed sees active connections alone, nq finds every server idle: all to the list's first."""
    for scheduler in ("sed", "nq"):
        assert letters(connect(ipvs(servers(*SAME, scheduler=scheduler, protocol="-u")), 4, protocol="udp")) == "CCCC"


@pytest.mark.parametrize(
    ("reals", "options", "clients", "expected"),
    [
        # 0.0.0.1 hashes to bucket 97, 0.0.0.2 to 195, 0.0.0.3 to 37 (golden ratio's high byte).
        (SAME, "", ["0.0.0.1:9", "0.0.0.2:9", "0.0.0.3:9", "0.0.0.1:10"], "BCBB"),
        ([f"{A} 2", B, C], "", ["0.0.0.1:9", "0.0.0.2:9", "0.0.0.3:9"], "BAB"),  # buckets C B A A, over and over
        ([f"{A} 2", f"{B} 2"], "", ["0.0.0.1:9", "0.0.0.2:9"], "BA"),  # B B A A
        ([A, f"{B} 0", C], "", ["0.0.0.1:9", "0.0.0.2:9"], "-C"),  # weight 0 keeps its bucket
        (SAME, " -b sh-port", ["0.0.0.1:1", "0.0.0.1:2", "0.0.0.0:1"], "CBB"),
        ([A, f"{B} 0", C], " -b sh-fallback", ["0.0.0.1:9", "0.0.0.2:9"], "AC"),  # bucket 97 + 97 instead
        ([f"{A} 0", B, C], " -b sh-fallback", ["0.0.0.6:9"], "B"),  # bucket 74, of A; then 74 + 74
        ([f"{A} 0", f"{B} 0"], " -b sh-fallback", ["0.0.0.1:9"], "-"),
    ],
)
def test_sh_follows_the_clients_address(reals: list[str], options: str, clients: list[str], expected: str) -> None:
    where = ipvs(servers(*reals, scheduler="sh", options=options))
    assert letters([real_of(where.schedule(visit(packet(client)))) for client in clients]) == expected


@pytest.mark.parametrize("options", ["", " -b mh-port"])
def test_mh_sends_a_client_always_to_the_same_server(options: str) -> None:
    """With mh-port a client is an address and a port, so its connections spread."""
    where = ipvs(servers(*SAME, scheduler="mh", options=options))
    first, again = connect(where, 60), connect(where.copy(), 60)
    assert first == again
    assert len(set(first)) == (3 if options else 1)


def test_mh_gives_no_server_to_clients_of_a_server_without_weight_unless_it_may_fall_back() -> None:
    clients = [packet(f"10.244.2.{last}:40000") for last in range(40)]
    draining = [A, f"{B} 5", C]
    for options, others in (("", {"A", "C", "-"}), (" -b mh-fallback", {"A", "C"})):
        where = ipvs(servers(*draining, scheduler="mh", options=options))
        before = [real_of(where.copy().schedule(visit(client))) for client in clients]
        where.load(servers(A, f"{B} 0", C, scheduler="mh", options=options))
        after = [real_of(where.schedule(visit(client))) for client in clients]
        assert {NAMES[one] for one in after} == others
        assert all(new == old for new, old in zip(after, before, strict=True) if old != B)


def test_mh_looks_for_another_server_from_the_entry_on() -> None:
    """ip_vs_mh_get_fallback: the offsets added to the client start at the number of its entry."""
    where = ipvs(servers(*SAME, scheduler="mh", options=" -b mh-fallback"))
    where.load(servers(A, f"{B} 0", C, scheduler="mh", options=" -b mh-fallback"))
    table = fill([(("10.244.1.3", 8080), 1), (("10.244.1.2", 8080), 1), (("10.244.1.1", 8080), 1)])
    assert table is not None
    for last in range(40):
        client = f"10.244.2.{last}"
        entry = entry_of(client, 0)
        tried = [table[entry], *(table[entry_of(client, 0, (entry + turn) % SIZE)] for turn in range(50))]
        expected = next(with_port(*key) for key in tried if with_port(*key) != B)
        assert real_of(where.schedule(visit(packet(f"{client}:1")))) == expected


def test_mh_falls_back_only_if_somebody_is_left() -> None:
    where = ipvs(servers(A, scheduler="mh", options=" -b mh-fallback"))
    where.load(servers(f"{A} 0", scheduler="mh", options=" -b mh-fallback"))
    assert connect(where, 1) == ["no server"]


# ---- an order that is open ----------------------------------------------------------------------


def open_ipvs(texts: dict[str, ServerText]) -> Ipvs:
    made = Ipvs()
    made.load(texts)
    return made


EVEN = [name for name in SCHEDULERS if name != "mh"]


@pytest.mark.parametrize("scheduler", EVEN)
def test_the_first_connection_costs_one_draw_and_is_even(scheduler: str) -> None:
    base = open_ipvs(servers(A, B, C, D, scheduler=scheduler))

    def run(dice: ScriptedDice) -> str:
        went = real_of(base.copy().schedule(visit(dice=dice)))
        assert dice.asked == [4]
        return went

    assert every_way(run) == dict.fromkeys((A, B, C, D), Fraction(1, 4))


@pytest.mark.parametrize("scheduler", ["rr", "wrr", "lc", "wlc", "sed", "nq"])
def test_further_connections_draw_the_places_that_follow(scheduler: str) -> None:
    base, dice = open_ipvs(servers(A, B, C, D, scheduler=scheduler)), ScriptedDice(1, 1)
    went = [real_of(base.schedule(visit(packet(f"10.0.0.1:{port}"), dice=dice))) for port in range(6)]
    assert letters(went) == "BCADBC"
    assert dice.asked == [4, 3, 2]


def test_a_heaviest_server_is_found_without_a_draw() -> None:
    base, dice = open_ipvs(servers(A, f"{B} 2", C, scheduler="sed")), ScriptedDice()
    assert real_of(base.schedule(visit(dice=dice))) == B
    assert dice.asked == []


def test_sh_with_unequal_weights_draws_up_to_its_bucket() -> None:
    """Bucket 97 of 0.0.0.1 with weights 2 1 1: the second place of four shares (97 mod 4)."""
    base = open_ipvs(servers(f"{A} 2", B, C, scheduler="sh"))
    chances = every_way(lambda dice: real_of(base.copy().schedule(visit(packet("0.0.0.1:9"), dice=dice))))
    # A first holds both of the first two buckets; else whoever is second holds the second.
    assert chances == {A: Fraction(1, 3) + Fraction(1, 3), B: Fraction(1, 6), C: Fraction(1, 6)}


def test_mh_fills_its_table_without_dice_in_order_of_address() -> None:
    dice = ScriptedDice()
    opened = open_ipvs(servers(C, A, B, scheduler="mh", options=" -b mh-port"))
    went = [real_of(opened.schedule(visit(packet(f"10.0.0.1:{port}"), dice=dice))) for port in range(40)]
    listed = ipvs(servers(C, B, A, scheduler="mh", options=" -b mh-port"))
    assert went == [real_of(listed.schedule(visit(packet(f"10.0.0.1:{port}")))) for port in range(40)]
    assert dice.asked == []


# ---- why ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scheduler", "options", "whys"),
    [
        ("rr", "", ["rr: first in the list", f"rr: next after {C}"]),
        ("wrr", "", ["wrr: first in the list with weight at least 1", f"wrr: next after {C} with weight at least 1"]),
        (
            "lc",
            "",
            [
                "lc: fewest connections, 256 × active + inactive = 0, first in the list of 3 alike",
                "lc: fewest connections, 256 × active + inactive = 0, first in the list of 2 alike",
            ],
        ),
        (
            "wlc",
            "",
            ["wlc: fewest connections, (256 × active + inactive) / weight = 0/1, first in the list of 3 alike"],
        ),
        ("sed", "", ["sed: fewest connections, (active + 1) / weight = 1/1, first in the list of 3 alike"]),
        ("nq", "", ["nq: first in the list of 3 without active connections"]),
        ("sh", "", ["sh: 10.244.2.9 hashes to bucket 194 of 256"]),
        ("dh", "", ["dh: 10.96.0.10 hashes to bucket 242 of 256"]),
    ],
)
def test_a_watched_choice_says_why(scheduler: str, options: str, whys: list[str]) -> None:
    where, steps = ipvs(servers(*SAME, scheduler=scheduler, options=options)), list[Step]()
    for port, why in enumerate(whys, 40000):
        where.schedule(visit(packet(f"10.244.2.9:{port}"), steps=steps))
        detail = steps[-1].detail
        assert isinstance(detail, Scheduled)
        assert (detail.how, detail.why) == (f"scheduled {scheduler}", why)


def test_mh_names_the_client_it_hashed() -> None:
    for options, client in ((" -b mh-port", "10.244.2.9:40000"), ("", "10.244.2.9")):
        steps: list[Step] = []
        ipvs(servers(A, scheduler="mh", options=options)).schedule(visit(steps=steps))
        detail = steps[0].detail
        assert isinstance(detail, Scheduled)
        assert detail.why.startswith(f"mh: {client} hashes to entry ")
        assert detail.why.endswith(f"of {SIZE}")


def test_nq_says_when_nobody_is_idle() -> None:
    where, steps = ipvs(servers(A, scheduler="nq")), list[Step]()
    connect(where, 1)
    where.schedule(visit(packet("10.244.2.9:50000"), steps=steps))
    detail = steps[0].detail
    assert isinstance(detail, Scheduled)
    assert detail.why == "nq: none is idle; sed: fewest connections, (active + 1) / weight = 2/1"


def test_watching_changes_no_choice() -> None:
    for scheduler in SCHEDULERS:
        went = []
        for steps in (None, list[Step]()):
            where, dice = open_ipvs(servers(A, B, C, D, scheduler=scheduler)), ScriptedDice(2, 1)
            flows = [visit(packet(f"10.0.0.1:{port}"), dice=dice, steps=steps) for port in range(9)]
            went.append(([real_of(where.schedule(one)) for one in flows], dice.asked))
        assert went[0] == went[1]
