"""Rule: the proxy modes that exist are the entries of this table."""

from __future__ import annotations

from packetsim.errors import PacketsimError
from packetsim.kubeproxy import iptables, ipvs, nftables, userspace
from packetsim.kubeproxy.config import Compile

COMPILERS: dict[str, Compile] = {
    "userspace": userspace.compile,
    "iptables": iptables.compile,
    "ipvs": ipvs.compile,
    "nftables": nftables.compile,
}
MODES = tuple(COMPILERS)
DEFAULT_MODE = "iptables"  # pkg/proxy/apis/config: an empty mode means iptables on Linux


def compiler(mode: str) -> Compile:
    """The compile function of a mode; "" is kube-proxy's default."""
    try:
        return COMPILERS[mode or DEFAULT_MODE]
    except KeyError:
        raise PacketsimError(f"there is no proxy mode {mode!r}; use one of {', '.join(MODES)}") from None
