"""Rule: nftables object names are made here, with kube-proxy's real hashes, and nowhere else.

hashAndTruncate and its callers in pkg/proxy/nftables/proxier.go (Kubernetes 1.35). Prefixes such
as `service-` are put before these names.
"""

from __future__ import annotations

from base64 import b32encode
from hashlib import sha256

# nft allows 256 characters; 16 are kept for the longest prefix.
LONGEST = 240


def port_name(namespace: str, service: str, protocol: str, port: str) -> str:
    """What a service port's chains are called. An unnamed port leaves the last slash."""
    return hashed(f"{namespace}/{service}/{protocol}/{port}")


def endpoint_name(namespace: str, service: str, protocol: str, port: str, address: str, number: int) -> str:
    """What one endpoint's chain and affinity set are called: no colon may stand in a name."""
    return hashed(f"{namespace}/{service}/{protocol}/{port}__{address.replace(':', '.')}/{number}")


def hashed(text: str) -> str:
    """`text` after 8 characters of base32(SHA-256), which are the first five bytes; cut if too long."""
    name = f"{b32encode(sha256(text.encode()).digest()[:5]).decode()}-{text}"
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 3]}..."
