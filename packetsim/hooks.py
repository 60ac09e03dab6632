"""Rule: where netfilter stands on a packet's way is data, in this file, and nowhere else.

Hooks and priorities from include/uapi/linux/netfilter_ipv4.h and
net/netfilter/ipvs/ip_vs_core.c (Linux 6.1). Diagrams are drawn from PATHS.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum


class Hook(StrEnum):
    PREROUTING = "prerouting"
    INPUT = "input"
    FORWARD = "forward"
    OUTPUT = "output"
    POSTROUTING = "postrouting"

    @property
    def chain(self) -> str:
        """The name of the iptables built-in chain at this hook."""
        return self.value.upper()


class Priority(IntEnum):
    """Lower runs first (enum nf_ip_hook_priorities)."""

    RAW = -300
    CONNTRACK = -200
    MANGLE = -150
    NAT_DST = -100
    FILTER = 0
    SECURITY = 50
    NAT_SRC = 100
    CONNTRACK_CONFIRM = 2**31 - 1


# Where each iptables table hangs its built-in chains (net/ipv4/netfilter/iptable_*.c).
TABLE_HOOKS: dict[str, dict[Hook, int]] = {
    "raw": {Hook.PREROUTING: Priority.RAW, Hook.OUTPUT: Priority.RAW},
    "mangle": dict.fromkeys(Hook, Priority.MANGLE),
    "nat": {
        Hook.PREROUTING: Priority.NAT_DST,
        Hook.INPUT: Priority.NAT_SRC,
        Hook.OUTPUT: Priority.NAT_DST,
        Hook.POSTROUTING: Priority.NAT_SRC,
    },
    "filter": {Hook.INPUT: Priority.FILTER, Hook.FORWARD: Priority.FILTER, Hook.OUTPUT: Priority.FILTER},
}

# ip_vs_ops4[]: replies are looked for before requests are scheduled, at either hook.
IPVS_HOOKS: dict[Hook, tuple[int, ...]] = {
    Hook.INPUT: (98, 99),
    Hook.OUTPUT: (-99, -98),
    Hook.FORWARD: (99, 100),
}

ROUTING = "routing decision"

# The three ways through a node; ROUTING stands where the kernel decides.
PATHS: dict[str, tuple[Hook | str, ...]] = {
    "input": (Hook.PREROUTING, ROUTING, Hook.INPUT),
    "forward": (Hook.PREROUTING, ROUTING, Hook.FORWARD, Hook.POSTROUTING),
    "output": (ROUTING, Hook.OUTPUT, Hook.POSTROUTING),
}
