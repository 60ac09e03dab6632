"""Rule: texts are loaded as they are, each by its own tool, and read back by it; a second load begins from nothing.

iptables texts go through iptables-nft, so that the trace of nf_tables tells of every mode's rules.
"""

from __future__ import annotations

import re
import time
from pathlib import Path

from . import running
from .asked import PARTS
from .faults import GuestError
from .netlink import GET_RULE, Netfilter
from .tracing import no_tables

DUMMY = "kube-ipvs0"
_TABLE = re.compile(r"^table (\S+) (\S+) \{", re.MULTILINE)
_SET = re.compile(r"^\tset (\S+) \{$(.*?)^\t\}", re.MULTILINE | re.DOTALL)
_IPVS_CONNECTIONS = Path("/proc/thread-self/net/ip_vs_conn")
_RECENT = Path("/proc/thread-self/net/xt_recent")
_FORGETS_LOST = "net/ipv4/vs/expire_nodest_conn"
_LONGEST = 5.0  # seconds for IPVS to forget

_LOADERS = {
    "addresses": ("ip", "-batch", "-"),
    "ipset": ("ipset", "restore"),
    "ipvs": ("ipvsadm", "-R"),
    "iptables": ("iptables-nft-restore",),
    "ip6tables": ("ip6tables-nft-restore",),
    "nft": ("nft", "-f", "-"),
}


class Texts:
    """What is loaded in one namespace. Every method is called by a thread that is inside."""

    def __init__(self, netfilter: Netfilter) -> None:
        self._netfilter = netfilter
        self._loaded: dict[str, str] = {}
        self._sysctls: dict[str, str] = {}

    def load(self, texts: dict[str, str], sysctls: dict[str, str]) -> dict[str, str]:
        """Gives each text that is not empty as it is read back."""
        self.unload()
        for part in PARTS:
            text = texts.get(part, "")
            if text:
                self._loaded[part] = text
                running.run(*_LOADERS[part], text=text)
        # After the texts: IPVS's sysctls come with its first command.
        self._sysctls = running.read_sysctls(sysctls)
        running.write_sysctls(sysctls)
        return {part: read_back(part, text) for part, text in self._loaded.items()}

    def unload(self) -> None:
        running.write_sysctls(self._sysctls)
        self._netfilter.change_tables(no_tables())
        if "ipvs" in self._loaded:
            self._empty_ipvs()
        if "ipset" in self._loaded:
            running.run("ipset", "destroy")
        if "addresses" in self._loaded:
            running.run("ip", "link", "delete", DUMMY)
        self._loaded, self._sysctls = {}, {}

    def rules(self) -> list[bytes]:
        """The kernel's dump of every rule with its handle."""
        return self._netfilter.dump(GET_RULE)

    # ---- what the kernel remembers of flows -----------------------------------------------------

    def connections(self) -> list[bytes]:
        return self._netfilter.connections()

    def balanced(self) -> str | None:
        """IPVS's connections; None where there is no IPVS."""
        try:
            return _IPVS_CONNECTIONS.read_text()
        except FileNotFoundError:
            return None

    def forget(self) -> None:
        """All of it, so that things are as they were just after the load; rules keep their handles."""
        if "ipvs" in self._loaded:
            self._empty_ipvs()
            running.run(*_LOADERS["ipvs"], text=self._loaded["ipvs"])
        flushes = affinity_flushes(self._loaded.get("nft", ""))
        if flushes:
            running.run(*_LOADERS["nft"], text=flushes)
        if _RECENT.is_dir():
            for remembered in _RECENT.iterdir():
                remembered.write_text("/")  # net/netfilter/xt_recent.c, recent_mt_proc_write: flush
        self._netfilter.forget_connections()

    def _empty_ipvs(self) -> None:
        """With this sysctl connections go with their server, a moment later (ip_vs_expire_nodest_conn_flush)."""
        before = running.read_sysctls([_FORGETS_LOST])
        running.write_sysctls({_FORGETS_LOST: "1"})
        running.run("ipvsadm", "-C")
        until = time.monotonic() + _LONGEST
        while len((self.balanced() or "").splitlines()) > 1:
            if time.monotonic() > until:
                raise GuestError(f"IPVS did not forget its connections within {_LONGEST:g} seconds")
            time.sleep(0.01)
        running.write_sysctls(before)


def read_back(part: str, text: str) -> str:
    """What the part's own tool prints of what it has loaded."""
    match part:
        case "addresses":
            return addresses_of(running.run("ip", "-o", "address", "show", "dev", DUMMY))
        case "ipset":
            return running.run("ipset", "save")
        case "ipvs":
            return running.run("ipvsadm", "-S", "-n")
        case "nft":
            # One by one: nft 1.0.6 keeps what it has heard of a single table.
            return "".join(running.run("nft", "list", "table", *table) for table in _TABLE.findall(text))
    return running.run(f"{part}-nft-save")


def addresses_of(listed: str) -> str:
    """As the commands that add these: `ip -batch` has no way to print them itself."""
    found = re.findall(r"\sinet6? (\S+) ", listed)
    return f"link add {DUMMY} type dummy\n" + "".join(f"address add {each} dev {DUMMY}\n" for each in found)


def affinity_flushes(text: str) -> str:
    """Commands that empty the sets which rules fill as packets pass."""
    lines = []
    for table in re.split(r"(?=^table )", text, flags=re.MULTILINE):
        named = _TABLE.match(table)
        for name, content in _SET.findall(table) if named else ():
            if named and "dynamic" in content:
                lines.append(f"flush set {named[1]} {named[2]} {name}\n")
    return "".join(lines)
