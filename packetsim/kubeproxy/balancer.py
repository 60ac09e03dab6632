"""Rule: the userspace proxy's choice of endpoint: round robin over a shuffled list, with affinity.

Facts from LoadBalancerRR in pkg/proxy/userspace/roundrobin.go (Kubernetes 1.25). The shuffle is
drawn only as far as it is looked at, and copies share what neither has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from packetsim.dice import Dice, LazyOrder
from packetsim.kubeproxy.config import Balancer
from packetsim.kubeproxy.services import differing

DEFAULT_TIMEOUT = 10800  # seconds; DefaultClientIPServiceAffinitySeconds


class NoEndpointError(LookupError):
    """There is nobody to choose; the text is kube-proxy's own."""


@dataclass(frozen=True, slots=True)
class Affinity:
    endpoint: str
    last_used: float


@dataclass(slots=True)
class _State:
    """One service port. `timeout` is fixed when the entry is made."""

    timeout: int
    sticky: bool = False
    order: LazyOrder[str] = field(default_factory=lambda: LazyOrder(()))
    endpoints: frozenset[str] = frozenset()
    index: int = 0
    clients: dict[str, Affinity] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(self.timeout, self.sticky, self.order.copy(), self.endpoints, self.index, dict(self.clients))


class LoadBalancerRR:
    """Every service port's list, place in it, and clients tied to an endpoint."""

    def __init__(self) -> None:
        self._seen: Mapping[str, Balancer] = {}
        self._states: dict[str, _State] = {}
        self._own: set[str] = set()  # states that no copy of this balancer shares

    def copy(self) -> LoadBalancerRR:
        """A balancer that goes its own way from here."""
        twin = LoadBalancerRR()
        twin._seen, twin._states = self._seen, dict(self._states)
        self._own = set()
        return twin

    def update(self, balancers: Mapping[str, Balancer]) -> None:
        """Bring every service port to what `compile` made now."""
        for name in list(differing(self._seen, balancers)):
            if name not in balancers:
                del self._states[name]
                self._own.discard(name)
                continue
            # Endpoints reach the balancer at once, Services at the next sync.
            self._set_endpoints(name, balancers[name])
            self._set_service(name, balancers[name])
        self._seen = balancers

    def _set_endpoints(self, name: str, balancer: Balancer) -> None:
        """An equal set changes nothing; another one is shuffled anew, and ties to lost endpoints go."""
        wanted = frozenset(balancer.endpoints)
        if wanted == (self._states[name].endpoints if name in self._states else frozenset()):
            return
        if name not in self._states:
            # The timeout of a service port that had endpoints first is never told: it stays the default.
            self._add(name, _State(DEFAULT_TIMEOUT))
        state = self._mine(name)
        state.clients = {ip: tie for ip, tie in state.clients.items() if tie.endpoint in wanted}
        state.order, state.endpoints, state.index = LazyOrder(balancer.endpoints), wanted, 0

    def _set_service(self, name: str, balancer: Balancer) -> None:
        sticky = balancer.affinity_timeout is not None
        if name not in self._states:
            self._add(name, _State(balancer.affinity_timeout or DEFAULT_TIMEOUT))
        if self._states[name].sticky is not sticky:
            self._mine(name).sticky = sticky

    def _add(self, name: str, state: _State) -> None:
        self._states[name] = state
        self._own.add(name)

    def _mine(self, name: str) -> _State:
        if name not in self._own:
            self._add(name, self._states[name].copy())
        return self._states[name]

    def next_endpoint(self, service_port: str, client_ip: str, reset_affinity: bool, now: float, dice: Dice) -> str:
        """The endpoint for one more connection. `reset_affinity`: the one the client is tied to did not answer."""
        if service_port not in self._states:
            raise NoEndpointError("missing service entry")
        if not self._states[service_port].endpoints:
            raise NoEndpointError("missing endpoints")
        state = self._mine(service_port)
        tie = state.clients.get(client_ip)
        if state.sticky and not reset_affinity and tie is not None and int(now - tie.last_used) < state.timeout:
            state.clients[client_ip] = Affinity(tie.endpoint, now)
            return tie.endpoint
        endpoint = state.order.at(state.index, dice)
        state.index = (state.index + 1) % len(state.order)
        if state.sticky:
            state.clients[client_ip] = Affinity(endpoint, now)
        return endpoint

    def affinities(self, service_port: str) -> Mapping[str, Affinity]:
        """Client address to the endpoint it is tied to, expired ones as well."""
        return dict(self._states[service_port].clients) if service_port in self._states else {}
