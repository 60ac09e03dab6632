"""Conntrack is there for a family only while some rule of that family asks for it."""

from __future__ import annotations

import pytest

from packetsim.kernel.iptables.text import split
from packetsim.kernel.tracking import iptables_ask

ROWS = (
    ("-A PREROUTING -j A", False),
    ("-A PREROUTING -m addrtype --dst-type LOCAL -j A", False),
    ("-A A -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.1:80", True),
    ("-A A -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 80", True),
    ("-A A -j MASQUERADE", True),
    ("-A A -m conntrack --ctstate NEW -j ACCEPT", True),
)


@pytest.mark.parametrize(("rule", "asks"), ROWS, ids=lambda value: str(value))
def test_which_rules_ask_for_conntrack(rule: str, asks: bool) -> None:
    text = f"*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n{rule}\nCOMMIT\n"
    assert iptables_ask(split(text)) == asks
