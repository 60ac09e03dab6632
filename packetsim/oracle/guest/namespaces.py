"""Rule: a network namespace is entered by a thread, and stays until that thread enters another.

Each has a name under /run/netns, as `ip netns` gives it, so that `ip -n CODE` and `netns CODE` find it.
Python 3.11 has no setns; libc has.
"""

from __future__ import annotations

import ctypes
import os
from contextlib import suppress
from pathlib import Path
from threading import local

from .faults import GuestError
from .running import write_known_sysctls

FOLDER = Path("/run/netns")  # NETNS_RUN_DIR of iproute2
_NEW_NET = 0x40000000  # CLONE_NEWNET
_BIND, _DETACH = 0x1000, 2  # MS_BIND, MNT_DETACH
_OPEN_FILES = 7  # RLIMIT_NOFILE

_libc = ctypes.CDLL(None, use_errno=True)
_thread = local()

# What every namespace of ours has before it gets any link. Paths that a kernel lacks are left out.
QUIET = {
    # Addresses are usable at once, and nobody asks for routers (addrconf).
    **{f"net/ipv6/conf/{which}/accept_dad": "0" for which in ("all", "default")},
    **{f"net/ipv6/conf/{which}/dad_transmits": "0" for which in ("all", "default")},
    **{f"net/ipv6/conf/{which}/accept_ra": "0" for which in ("all", "default")},
    **{f"net/ipv6/conf/{which}/autoconf": "0" for which in ("all", "default")},
    **{f"net/ipv6/conf/{which}/router_solicitations": "0" for which in ("all", "default")},
    **{f"net/ipv6/conf/{which}/accept_redirects": "0" for which in ("all", "default")},
    **{f"net/ipv4/conf/{which}/rp_filter": "0" for which in ("all", "default")},
    **{f"net/ipv4/conf/{which}/send_redirects": "0" for which in ("all", "default")},
    **{f"net/ipv4/conf/{which}/accept_redirects": "0" for which in ("all", "default")},
    # No ICMP error is withheld for there having been many (icmpv4_xrlim_allow, icmpv6_mask_allow).
    "net/ipv4/icmp_ratemask": "0",
    "net/ipv4/icmp_ratelimit": "0",
    "net/ipv6/icmp/ratemask": "255",
    "net/ipv6/icmp/ratelimit": "0",
    # A neighbour that is silent stays so: the ICMP error after three questions would end up in another flow's trace.
    "net/ipv4/neigh/default/mcast_solicit": "1000000",
    "net/ipv6/neigh/default/mcast_solicit": "1000000",
    "net/ipv4/neigh/default/retrans_time_ms": "300",
    "net/ipv6/neigh/default/retrans_time_ms": "300",
    # An answer that nobody confirms is not sent again, for the same reason.
    "net/ipv4/tcp_synack_retries": "0",
    "net/ipv4/tcp_syncookies": "0",
}


class Namespace:
    """`enter` moves the calling thread in."""

    def __init__(self, code: str, descriptor: int) -> None:
        self.code = code
        self._descriptor = descriptor

    def enter(self) -> None:
        if getattr(_thread, "inside", None) is not self:
            _call("setns", self._descriptor, _NEW_NET)
            _thread.inside = self

    def remove(self) -> None:
        """Its name goes; it ends with its last socket, and when no thread is inside."""
        os.close(self._descriptor)
        with suppress(OSError):
            _call("umount2", str(FOLDER / self.code).encode(), _DETACH)
        with suppress(FileNotFoundError):
            (FOLDER / self.code).unlink()


def this_one(code: str = "") -> Namespace:
    """The namespace that the calling thread is in."""
    return Namespace(code, os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))


def make(code: str) -> Namespace:
    """A new namespace, quiet and without links. The calling thread is inside."""
    path = FOLDER / code
    try:
        path.touch(exist_ok=False)
    except FileExistsError:
        raise GuestError(f"there is a namespace {code} already; give each one a code of its own") from None
    try:
        _call("unshare", _NEW_NET)
        _thread.inside = None
        _call("mount", b"/proc/thread-self/ns/net", str(path).encode(), None, _BIND, None)
    except OSError:
        path.unlink()
        raise
    found = this_one(code)
    try:
        write_known_sysctls(QUIET)
    except GuestError:
        found.remove()
        raise
    _thread.inside = found
    return found


def prepare() -> None:
    """Makes this process's mounts fit: /proc of its own process namespace, a /run/netns of its own."""
    if Path("/proc/self").readlink() != Path(str(os.getpid())):
        _call("mount", b"proc", b"/proc", b"proc", 0, None)
    try:
        FOLDER.mkdir(parents=True, exist_ok=True)
    except OSError:  # not root outside
        _call("mount", b"tmpfs", b"/run", b"tmpfs", 0, None)
        FOLDER.mkdir(parents=True)
    _call("mount", b"tmpfs", str(FOLDER).encode(), b"tmpfs", 0, None)


def allow_many_files(most: int = 65536) -> None:
    """Sockets and namespaces are many; `resource` may be missing in a small Python."""
    limits = (ctypes.c_ulong * 2)()
    _call("getrlimit", _OPEN_FILES, ctypes.byref(limits))
    limits[0] = min(limits[1], most)
    _call("setrlimit", _OPEN_FILES, ctypes.byref(limits))


def _call(name: str, *arguments: object) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
