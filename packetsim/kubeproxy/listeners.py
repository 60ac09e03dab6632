"""Rule: the ports that kube-proxy itself answers on are listed here, once for every mode.

Its own health check (`healthzBindAddress`, 0.0.0.0:10256) and one port for each Service with a
healthCheckNodePort (pkg/proxy/healthcheck, Kubernetes 1.35). Metrics are on 127.0.0.1 alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from packetsim.kubeproxy.services import ProxiedPort
from packetsim.ruletext import Line, Origin

HEALTHZ_PORT = 10256

Listener = tuple[str, int, Line]

HEALTHZ: Listener = (
    "tcp",
    HEALTHZ_PORT,
    Line("kube-proxy health check", (Origin("kube-proxy", "", "", "healthzBindAddress"),)),
)


def listeners(ports: Iterable[ProxiedPort]) -> tuple[Listener, ...]:
    """Every port kube-proxy answers on, given the service ports of all families."""
    found = {HEALTHZ_PORT: HEALTHZ}
    for port in ports:
        number = port.health_check_node_port
        if number and number not in found:
            text = f"health check of {port.namespace}/{port.name}"
            found[number] = ("tcp", number, Line(text, (port.origin("spec.healthCheckNodePort"),)))
    return tuple(found.values())
