"""Rule: the names and numbers of protocols stand here once (IANA; /etc/protocols)."""

PROTOCOL_NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}
TRANSPORTS = ("tcp", "udp", "sctp")
