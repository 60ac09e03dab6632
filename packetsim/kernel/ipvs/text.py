"""Rule: what `ipvsadm -Sn` prints is read whole or refused; `parse(render(x)) == x`.

Format of ipvsadm 1.31: `-A SERVICE -s SCHEDULER [-p SECONDS [-M MASK]] [-b FLAGS]`, then for each
real server `-a SERVICE -r ADDRESS:PORT -m -w WEIGHT`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network

from packetsim.addresses import canonical, full_length
from packetsim.errors import RuleTextError
from packetsim.kernel.ipvs.model import SCHEDULERS, RealServer, VirtualKey, VirtualServer
from packetsim.ruletext import ServerText

_PROTOCOL_OF = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp"}
_OPTION_OF = {protocol: option for option, protocol in _PROTOCOL_OF.items()}
_OTHER_FORWARDING = {"-g": "direct routing", "-i": "tunnelling"}
_MODELLED = ", ".join(SCHEDULERS)


def parse(text: str) -> tuple[VirtualServer, ...]:
    """The virtual servers of an `ipvsadm -Sn` listing, in its order."""
    servers: dict[VirtualKey, VirtualServer] = {}
    reals: dict[VirtualKey, list[RealServer]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        place = f"ipvsadm line {number}"
        if line.startswith("-A "):
            server = _server(line, place)
            if server.key in servers:
                raise RuleTextError(place, f"virtual server {server.protocol} {server.text} is there twice")
            servers[server.key], reals[server.key] = server, []
        elif line.startswith("-a "):
            key, real = _real(line, place)
            if key not in servers:
                raise RuleTextError(place, "this real server's virtual server has no -A line before it")
            _put(reals[key], real, place)
        else:
            raise RuleTextError(place, f"{line.split()[0]!r} is not modelled; lines begin with -A or -a")
    return tuple(replace(server, reals=tuple(reals[key])) for key, server in servers.items())


def parse_server(text: ServerText) -> VirtualServer:
    """One virtual server with its real servers."""
    place = f"ipvs {text.server.text!r}"
    server = _server(text.server.text, place)
    reals: list[RealServer] = []
    for line in text.reals:
        key, real = _real(line.text, f"ipvs {line.text!r}")
        if key != server.key:
            raise RuleTextError(place, f"real server line {line.text!r} belongs to another virtual server")
        reals.append(real)
    if len({real.key for real in reals}) < len(reals):
        raise RuleTextError(place, "a real server is there twice")
    return replace(server, reals=tuple(reals))


def render(servers: Iterable[VirtualServer]) -> str:
    """The text that `parse` reads; loadable by `ipvsadm -R`."""
    return "".join(f"{line}\n" for server in servers for line in (server_line(server), *real_lines(server)))


def server_line(server: VirtualServer) -> str:
    words = ["-A", _OPTION_OF[server.protocol], server.text, "-s", server.scheduler]
    if server.persistence is not None:
        words += ["-p", str(server.persistence)]
        if server.netmask is not None:
            words += ["-M", mask_text(server)]
    if server.flags:
        words += ["-b", ",".join(server.flags)]
    return " ".join(words)


def real_lines(server: VirtualServer) -> list[str]:
    service = f"-a {_OPTION_OF[server.protocol]} {server.text}"
    return [f"{service} -r {real.text} -m -w {real.weight}" for real in server.reals]


def mask_text(server: VirtualServer) -> str:
    """The persistence mask as ipvsadm writes it: dotted for IPv4, a prefix length for IPv6."""
    if server.netmask is None or ":" in server.address:
        return str(server.netmask or full_length(server.address))
    return str(ip_network(f"0.0.0.0/{server.netmask}").netmask)


def _put(reals: list[RealServer], real: RealServer, place: str) -> None:
    if any(real.key == other.key for other in reals):
        raise RuleTextError(place, f"real server {real.text} is there twice")
    reals.append(real)


def _server(line: str, place: str) -> VirtualServer:
    words = line.split()
    if words[:1] != ["-A"] or len(words) < 3:
        raise RuleTextError(place, "a virtual server line reads -A -t ADDRESS:PORT -s SCHEDULER")
    protocol, address, port = _service(words[1], words[2], place)
    options = _pairs(words[3:], ("-s", "-p", "-M", "-b"), place)
    scheduler = _scheduler(options.get("-s", "wlc"), place)
    persistence = _number(options["-p"], 1, 2**32 - 1, "-p", place) if "-p" in options else None
    netmask = None
    if "-M" in options:
        if persistence is None:
            raise RuleTextError(place, "-M is only for persistence; add -p SECONDS or take it away")
        netmask = _netmask(options["-M"], address, place)
    flags = _flags(options["-b"], scheduler, place) if "-b" in options else ()
    return VirtualServer(protocol, address, port, scheduler, flags, persistence, netmask)


def _real(line: str, place: str) -> tuple[VirtualKey, RealServer]:
    words = line.split()
    if words[:1] != ["-a"] or len(words) < 5 or words[3] != "-r":
        raise RuleTextError(place, "a real server line reads -a -t ADDRESS:PORT -r ADDRESS:PORT -m -w WEIGHT")
    service = _service(words[1], words[2], place)
    address, port = _endpoint(words[4], place)
    rest = words[5:]
    for word in rest:
        if word in _OTHER_FORWARDING:
            raise RuleTextError(
                place, f"forwarding {word} ({_OTHER_FORWARDING[word]}) is not modelled; supported is -m"
            )
    if rest[:1] != ["-m"]:
        raise RuleTextError(place, "a real server needs -m, the only forwarding method that is modelled")
    options = _pairs(rest[1:], ("-w",), place)
    return service, RealServer(address, port, _number(options.get("-w", "1"), 0, 65535, "-w", place))


def _pairs(words: list[str], known: tuple[str, ...], place: str) -> dict[str, str]:
    """`-x VALUE -y VALUE …`; each option at most once."""
    found: dict[str, str] = {}
    for at in range(0, len(words), 2):
        option, value = words[at], words[at + 1] if at + 1 < len(words) else None
        if option not in known:
            raise RuleTextError(place, f"option {option!r} is not modelled; supported are {', '.join(known)}")
        if option in found or value is None:
            raise RuleTextError(place, f"option {option} is there twice or without its value")
        found[option] = value
    return found


def _service(option: str, endpoint: str, place: str) -> VirtualKey:
    protocol = _PROTOCOL_OF.get(option)
    if protocol is None:
        raise RuleTextError(place, f"service type {option!r} is not modelled; supported are {', '.join(_PROTOCOL_OF)}")
    return (protocol, *_endpoint(endpoint, place))


def _endpoint(text: str, place: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    bracketed = address.startswith("[") and address.endswith("]")
    try:
        known = canonical(address[1:-1] if bracketed else address)
    except ValueError:
        raise RuleTextError(place, f"{text!r} is not ADDRESS:PORT with a numeric address") from None
    if bracketed != (":" in known):
        raise RuleTextError(place, f"{text!r}: brackets go around an IPv6 address and no other")
    # Port 0 ("every port") needs persistence in the kernel and has other template rules.
    return known, _number(port, 1, 65535, "port", place)


def _number(text: str, low: int, high: int, what: str, place: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else -1
    if not low <= number <= high:
        raise RuleTextError(place, f"{what} {text!r} is not a number from {low} to {high}")
    return number


def _scheduler(name: str, place: str) -> str:
    if name not in SCHEDULERS:
        raise RuleTextError(place, f"scheduler {name!r} is not modelled; supported are {_MODELLED}")
    return name


def _flags(text: str, scheduler: str, place: str) -> tuple[str, ...]:
    known, given = SCHEDULERS[scheduler], text.split(",")
    for flag in given:
        if flag not in known:
            cure = f"supported are {', '.join(known)}" if known else "it has none"
            raise RuleTextError(place, f"flag {flag!r} of scheduler {scheduler} is not modelled; {cure}")
    return tuple(flag for flag in known if flag in given)


def _netmask(text: str, address: str, place: str) -> int | None:
    wide = full_length(address)
    try:
        length = int(text) if wide == 128 else ip_network(f"0.0.0.0/{text}").prefixlen
    except ValueError:
        length = 0
    if not 1 <= length <= wide or (wide == 32 and "." not in text):
        raise RuleTextError(place, f"-M {text!r} is not a mask of leading one bits for this address family")
    return None if length == wide else length
