"""Rule: the balancer is held to sequences worked out by hand; the shuffle is dictated by the dice."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from packetsim.dice import Odds, RolledDice
from packetsim.kubeproxy.balancer import DEFAULT_TIMEOUT, LoadBalancerRR, NoEndpointError
from packetsim.kubeproxy.config import Balancer

PORT = "shop/web:http"


class Script:
    """Dice that draw these places and then the first one."""

    def __init__(self, picks: Iterable[int] = ()) -> None:
        self.picks = list(picks)
        self.asked: list[int] = []

    def pick(self, odds: Odds) -> int:
        self.asked.append(len(odds.weights))
        return self.picks.pop(0) if self.picks else 0

    def draw(self, low: int, high: int) -> int:
        raise AssertionError("no number but the shuffle is drawn")


IN_ORDER = Script()


def wanted(endpoints: str, timeout: int | None = None) -> dict[str, Balancer]:
    return {PORT: Balancer(PORT, tuple(endpoints), timeout)}


def balancer(endpoints: str, timeout: int | None = None) -> LoadBalancerRR:
    """A service port that had its Service first, so that its own timeout counts."""
    made = LoadBalancerRR()
    made.update(wanted("", timeout))
    made.update(wanted(endpoints, timeout))
    return made


def ask(made: LoadBalancerRR, clients: str, dice: Script = IN_ORDER, now: float = 0.0, reset: bool = False) -> str:
    """One letter a client; one letter an answer."""
    return "".join(made.next_endpoint(PORT, client, reset, now, dice) for client in clients)


@pytest.mark.parametrize(
    ("timeout", "clients", "answers"),
    [(None, "xxxxxxx", "ABCABCA"), (60, "xyxzxw", "ABACAA"), (60, "xyzwxyzw", "ABCAABCA")],
)
def test_round_robin_and_affinity(timeout: int | None, clients: str, answers: str) -> None:
    assert ask(balancer("ABC", timeout), clients) == answers


def test_an_equal_set_changes_nothing() -> None:
    made = balancer("ABC")
    assert ask(made, "xx") == "AB"
    made.update(wanted("CAB"))
    assert ask(made, "xxx") == "CAB"


def test_another_set_is_shuffled_anew_from_its_start() -> None:
    made = balancer("ABC")
    assert ask(made, "xx") == "AB"
    made.update(wanted("AB"))
    assert ask(made, "xxxx", Script([1])) == "BABA"


def test_ties_to_lost_endpoints_go_and_others_stay() -> None:
    made = balancer("ABC", 60)
    assert ask(made, "xy") == "AB"
    made.update(wanted("BC", 60))
    assert ask(made, "xyz", Script([1])) == "CBB"


def test_a_client_whose_endpoint_does_not_answer_is_tied_to_the_next() -> None:
    made = balancer("ABC", 60)
    assert ask(made, "x") == "A"
    assert ask(made, "x", reset=True) == "B"
    assert ask(made, "xy") == "BC"
    assert {ip: tie.endpoint for ip, tie in made.affinities(PORT).items()} == {"x": "B", "y": "C"}


@pytest.mark.parametrize(
    ("pauses", "answers"),
    [
        ([60.0], "AB"),
        ([59.999], "AA"),  # whole seconds count
        ([59.0, 59.0, 59.0], "AAAA"),  # each use starts the window anew
        ([59.0, 60.0], "AAB"),
    ],
)
def test_the_affinity_window_slides(pauses: list[float], answers: str) -> None:
    made, now = balancer("ABC", 60), 0.0
    given = ask(made, "x")
    for pause in pauses:
        now += pause
        given += ask(made, "x", now=now)
    assert given == answers


@pytest.mark.parametrize(("after", "answer"), [(60.0, "A"), (DEFAULT_TIMEOUT - 1.0, "A"), (DEFAULT_TIMEOUT, "B")])
def test_a_timeout_is_never_told_to_a_port_that_had_endpoints_first(after: float, answer: str) -> None:
    made = LoadBalancerRR()
    made.update(wanted("ABC", 60))
    assert ask(made, "x") == "A"
    assert ask(made, "x", now=after) == answer


def test_a_later_timeout_is_not_noticed() -> None:
    made = balancer("ABC", 60)
    made.update(wanted("ABC", 6000))
    assert ask(made, "x") + ask(made, "x", now=60.0) == "AB"


def test_switching_affinity_off_and_on_keeps_the_ties() -> None:
    made = balancer("ABC", 60)
    assert ask(made, "xy") == "AB"
    made.update(wanted("ABC", None))
    assert ask(made, "xx") == "CA"
    made.update(wanted("ABC", 60))
    assert ask(made, "xy") == "AB"


def test_endpoints_gone_for_a_while() -> None:
    made = balancer("ABC", 60)
    assert ask(made, "x") == "A"
    made.update(wanted("", 60))
    with pytest.raises(NoEndpointError, match="missing endpoints"):
        ask(made, "x")
    made.update(wanted("ABC", 60))
    assert ask(made, "x", Script([2])) == "C"


def test_a_service_port_that_goes_is_forgotten() -> None:
    made = balancer("ABC", 60)
    ask(made, "x")
    made.update({})
    with pytest.raises(NoEndpointError, match="missing service entry"):
        ask(made, "x")
    assert made.affinities(PORT) == {}


def test_two_service_ports_have_their_own_lists() -> None:
    made = LoadBalancerRR()
    other = Balancer("shop/web:https", ("X", "Y"), None)
    made.update({**wanted("ABC"), other.service_port: other})
    assert ask(made, "xx") == "AB"
    assert made.next_endpoint(other.service_port, "x", False, 0.0, IN_ORDER) == "X"
    assert ask(made, "x") == "C"


def test_the_shuffle_is_drawn_only_as_far_as_it_is_looked_at() -> None:
    made, dice = balancer("ABC"), Script([2, 0])
    assert ask(made, "x", dice) == "C"
    assert dice.asked == [3]
    assert ask(made, "xxxx", dice) == "ABCA"
    assert dice.asked == [3, 2]


def test_a_copy_goes_its_own_way() -> None:
    made = balancer("ABC", 60)
    assert ask(made, "x") == "A"
    twin, late = made.copy(), made.copy()
    assert ask(twin, "yz", Script([1])) == "CB"
    assert ask(made, "yx") == "BA"
    assert ask(twin, "yx") == "CA"
    twin.update({})
    assert ask(made, "z") == "C"
    assert ask(late, "uvw") == "BCA"


def test_rolled_dice_visit_each_endpoint_once_a_round() -> None:
    made = balancer("ABCDEFG")
    dice = RolledDice(lambda below: below // 2)
    answers = [made.next_endpoint(PORT, "x", False, 0.0, dice) for _ in range(14)]
    assert sorted(answers[:7]) == sorted("ABCDEFG")
    assert answers[7:] == answers[:7]
