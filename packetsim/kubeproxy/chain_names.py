"""Rule: iptables chain names are made here, with kube-proxy's real hashes, and nowhere else.

A hash is 16 characters of base32(SHA-256(text)); neither port number nor ClusterIP is hashed, so
that changing them keeps the names (pkg/proxy/iptables/proxier.go, Kubernetes 1.35).
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

CLUSTER = "KUBE-SVC-"  # endpoints of the Cluster set
LOCAL = "KUBE-SVL-"  # endpoints of the Local set
EXTERNAL = "KUBE-EXT-"  # entry for external destinations
FIREWALL = "KUBE-FW-"  # load balancer source ranges
ENDPOINT = "KUBE-SEP-"  # one endpoint


def port_hash(display: str, protocol: str) -> str:
    """The hash shared by a service port's SVC, SVL, EXT and FW chains. `display` is `NS/NAME:PORTNAME`."""
    return _hash(display + protocol)


def endpoint_chain(display: str, protocol: str, endpoint: str) -> str:
    """The KUBE-SEP chain of one endpoint, `IP:PORT` or `[IP]:PORT`."""
    return ENDPOINT + _hash(display + protocol + endpoint)


def _hash(text: str) -> str:
    # 16 base32 characters hold 80 bits, the first ten bytes.
    return b32encode(sha256(text.encode()).digest()[:10]).decode()
