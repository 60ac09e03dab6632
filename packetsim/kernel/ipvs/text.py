"""Rule: what `ipvsadm -Sn` prints is read whole or refused; `parse(render(x)) == x`.

Format of ipvsadm 1.31: `-A SERVICE -s SCHEDULER [-p SECONDS [-M MASK]] [-b FLAGS]`, then for each
real server `-a SERVICE -r ADDRESS:PORT -m -w WEIGHT`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from ipaddress import ip_network

from packetsim.addresses import canonical, family_of, full_length
from packetsim.errors import RuleTextError
from packetsim.kernel.ipvs.model import SCHEDULERS, RealKey, RealServer, VirtualKey, VirtualServer
from packetsim.ruletext import Line, ServerText

_PROTOCOL_OF = {"-t": "tcp", "-u": "udp", "--sctp-service": "sctp"}
_OPTION_OF = {protocol: option for option, protocol in _PROTOCOL_OF.items()}
_OTHER_FORWARDING = {"-g": "direct routing", "-i": "tunnelling"}
_MODELLED = ", ".join(SCHEDULERS)


def parse(text: str) -> tuple[VirtualServer, ...]:
    """The virtual servers of an `ipvsadm -Sn` listing, in its order."""
    groups: dict[str, tuple[Line, list[Line]]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        service = " ".join(words[1:3])
        match words[:1]:
            case []:
                continue
            case ["-A"] if service not in groups:
                groups[service] = Line(line), []
            case ["-a"] if service in groups:
                groups[service][1].append(Line(line))
            case ["-A"]:
                raise RuleTextError(f"ipvsadm line {number}", f"virtual server {service} is there twice")
            case ["-a"]:
                raise RuleTextError(f"ipvsadm line {number}", "its virtual server has no -A line before it")
            case _:
                raise RuleTextError(
                    f"ipvsadm line {number}", f"{words[0]!r} is not modelled; lines begin with -A or -a"
                )
    servers = tuple(parse_server(ServerText(server, tuple(reals))) for server, reals in groups.values())
    if len({server.key for server in servers}) < len(servers):
        raise RuleTextError("ipvsadm", "two of the virtual servers have the same protocol, address and port")
    return servers


def parse_server(text: ServerText) -> VirtualServer:
    """One virtual server with its real servers."""
    server = _server(text.server.text, f"ipvs {text.server.text!r}")
    front = _real_front(server)
    reals: dict[RealKey, RealServer] = {}
    for line in text.reals:
        if line.text.startswith(front):
            real = _real_of(line.text[len(front) :].split(), line.text)
        else:
            key, real = _real(line.text)
            if key != server.key:
                raise RuleTextError(f"ipvs {line.text!r}", f"it belongs to another virtual server than {server.text}")
        if family_of(real.address) != family_of(server.address):
            raise RuleTextError(f"ipvs {line.text!r}", f"real server {real.text} is not of {server.text}'s family")
        if real.key in reals:
            raise RuleTextError(f"ipvs {line.text!r}", f"real server {real.text} is there twice")
        reals[real.key] = real
    return replace(server, reals=tuple(reals.values()))


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
    return [f"{_real_front(server)}{real.text} -m -w {real.weight}" for real in server.reals]


def _real_front(server: VirtualServer) -> str:
    return f"-a {_OPTION_OF[server.protocol]} {server.text} -r "


def mask_text(server: VirtualServer) -> str:
    """The persistence mask as ipvsadm writes it: dotted for IPv4, a prefix length for IPv6."""
    if server.netmask is None or ":" in server.address:
        return str(server.netmask or full_length(server.address))
    return str(ip_network(f"0.0.0.0/{server.netmask}").netmask)


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


def _real(line: str) -> tuple[VirtualKey, RealServer]:
    words, place = line.split(), f"ipvs {line!r}"
    if words[:1] != ["-a"] or len(words) < 5 or words[3] != "-r":
        raise RuleTextError(place, "a real server line reads -a -t ADDRESS:PORT -r ADDRESS:PORT -m -w WEIGHT")
    return _service(words[1], words[2], place), _real_of(words[4:], line)


def _real_of(words: list[str], line: str) -> RealServer:
    """What follows `-r`."""
    place = f"ipvs {line!r}"
    address, port = _endpoint(words[0] if words else "", place)
    for word in words[1:]:
        if word in _OTHER_FORWARDING:
            raise RuleTextError(
                place, f"forwarding {word} ({_OTHER_FORWARDING[word]}) is not modelled; supported is -m"
            )
    if words[1:2] != ["-m"]:
        raise RuleTextError(place, "a real server needs -m, the only forwarding method that is modelled")
    options = _pairs(words[2:], ("-w",), place)
    return RealServer(address, port, _number(options.get("-w", "1"), 0, 65535, "-w", place))


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


def _endpoint(text: str, place: str) -> RealKey:
    try:
        return _read_endpoint(text)
    except ValueError as error:
        raise RuleTextError(place, f"{text!r} is not ADDRESS:PORT: {error}") from None


@lru_cache(maxsize=1 << 17)
def _read_endpoint(text: str) -> RealKey:
    """Cached: the same real servers stand behind several virtual servers."""
    address, _, port = text.rpartition(":")
    bracketed = address.startswith("[") and address.endswith("]")
    known = canonical(address[1:-1] if bracketed else address)
    if bracketed != (":" in known):
        raise ValueError("brackets go around an IPv6 address and no other")
    # Port 0 ("every port") needs persistence in the kernel and has other template rules.
    if not (port.isascii() and port.isdigit() and 1 <= int(port) <= 65535):
        raise ValueError("a port is a number from 1 to 65535")
    return known, int(port)


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
