"""Rule: what the virtual machine is made of stands here, as lists; `image` makes it, and knows no names of its own.

Whatever changes here, or in `init.sh`, makes another image. REVISION is for changes in how `image` makes one.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

REVISION = 1
INIT = Path(__file__).with_name("init.sh")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Debian's names. With them comes what they depend on.
PACKAGES = (
    "linux-image-cloud-amd64",
    "busybox-static",
    "dash",  # busybox's shell would take its own `ip` for ip
    "iproute2",
    "iptables",
    "nftables",
    "ipset",
    "ipvsadm",
    "conntrack",
    "netbase",
    "python3-minimal",
    "libpython3-stdlib",
)

# Loaded at boot, so that no test waits for a module. What kube-proxy's rules name, what the guest's wiring needs.
MODULES = _words("""
virtio_pci virtio_console
veth dummy bridge br_netfilter sctp
nf_conntrack nf_conntrack_netlink nf_nat nf_log_syslog nfnetlink nfnetlink_log nfnetlink_acct
nf_tables nft_compat nft_chain_nat nft_ct nft_fib nft_fib_inet nft_fib_ipv4 nft_fib_ipv6 nft_hash nft_limit nft_log
nft_masq nft_nat nft_numgen nft_objref nft_quota nft_redir nft_reject nft_reject_inet nft_reject_ipv4 nft_reject_ipv6
nft_socket nft_tproxy
ip_tables iptable_filter iptable_mangle iptable_nat iptable_raw
ip6_tables ip6table_filter ip6table_mangle ip6table_nat ip6table_raw ipt_REJECT ip6t_REJECT
xt_addrtype xt_comment xt_connmark xt_conntrack xt_CT xt_HL xt_hl xt_ipvs xt_length xt_limit xt_LOG xt_mac xt_mark
xt_MASQUERADE xt_multiport xt_nat xt_NETMAP xt_nfacct xt_NFLOG xt_owner xt_physdev xt_pkttype xt_recent xt_REDIRECT
xt_sctp xt_set xt_socket xt_state xt_statistic xt_tcpmss xt_tcpudp xt_TCPMSS xt_TPROXY xt_TRACE xt_u32
ip_set ip_set_bitmap_ip ip_set_bitmap_port ip_set_hash_ip ip_set_hash_ipport ip_set_hash_ipportip
ip_set_hash_ipportnet ip_set_hash_mac ip_set_hash_net ip_set_hash_netport ip_set_hash_netnet ip_set_list_set
ip_vs ip_vs_dh ip_vs_fo ip_vs_lblc ip_vs_lblcr ip_vs_lc ip_vs_mh ip_vs_nq ip_vs_ovf ip_vs_rr ip_vs_sed ip_vs_sh
ip_vs_wlc ip_vs_wrr
""")

# Folders of modules that are kept, since a rule or a socket may ask for one that is not loaded yet.
MODULE_FOLDERS = (
    "arch",
    "crypto",
    "drivers/char/virtio_console*",
    "drivers/net/dummy*",
    "drivers/net/macvlan*",
    "drivers/net/veth*",
    "drivers/virtio",
    "lib",
    "net",
)

# Files of the packages that are kept, apart from the modules, and from the libraries that these need.
KEPT = (
    "bin/busybox",
    "bin/dash",
    "bin/ip",
    "bin/ss",
    "sbin/bridge",
    "sbin/ip",
    "sbin/ipvsadm",
    "sbin/ipvsadm-*",
    "sbin/tc",
    "sbin/conntrack",
    "sbin/ip6tables-nft*",
    "sbin/ipset",
    "sbin/iptables-nft*",
    "sbin/nft",
    "sbin/xtables-monitor",
    "sbin/xtables-nft-multi",
    "bin/python3*",
    "lib/*/xtables/*.so",
    "lib/python3.*/*",
    "lib/python3.*/lib-dynload/*",
    "lib/python3.*/asyncio/**/*",
    "lib/python3.*/collections/**/*",
    "lib/python3.*/concurrent/**/*",
    "lib/python3.*/ctypes/**/*",
    "lib/python3.*/encodings/**/*",
    "lib/python3.*/importlib/**/*",
    "lib/python3.*/json/**/*",
    "lib/python3.*/logging/**/*",
    "lib/python3.*/re/**/*",
    "lib/python3.*/urllib/**/*",
    "lib64/*",
    "etc/iproute2/*",
    "etc/protocols",
    "etc/services",
    "share/iproute2/**/*",
)

# Of lib-dynload, what begins so: the guest needs it not, and it brings large libraries along.
LEFT_OUT = _words("""
_bz2 _codecs _crypt _ctypes_test _curses _dbm _hashlib _lsprof _lzma _multibytecodec _sqlite3 _ssl _test _uuid _xx
_zoneinfo audioop nis ossaudiodev readline xx
""")

# What busybox serves as. `ip` is not among them: that has to be the real one.
APPLETS = _words("""
[ awk basename cat chmod cp cut date dd df dirname dmesg du echo env expr false find free grep head hexdump hostname id
insmod kill killall less ln ls lsmod mkdir mkfifo mknod modprobe mount mv nc nsenter od pidof ping ping6 poweroff ps
pwd readlink realpath reboot rm rmdir rmmod sed seq setsid sleep sort stat strings stty sync sysctl tail tar tee
test time timeout top touch tr true umount uname uniq unshare uptime usleep vi wc which xargs
""")


def digest() -> str:
    """A short name for what this recipe makes."""
    everything = (REVISION, PACKAGES, MODULES, MODULE_FOLDERS, KEPT, LEFT_OUT, APPLETS, INIT.read_text())
    return hashlib.sha256(repr(everything).encode()).hexdigest()[:12]
