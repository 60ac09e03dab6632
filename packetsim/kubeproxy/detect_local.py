"""Rule: how kube-proxy tells its own pods' traffic from other traffic is decided here, once for every mode.

Facts from getLocalDetectors in cmd/kube-proxy/app/server_linux.go and
pkg/proxy/util/localdetector.go (Kubernetes 1.35).
"""

from __future__ import annotations

from dataclasses import dataclass

from packetsim.cluster.model import Node, ProxyConfiguration
from packetsim.errors import PacketsimError
from packetsim.ruletext import Origin


@dataclass(frozen=True, slots=True)
class LocalDetector:
    """Traffic is local when its source lies in `cidr`, or when it came in by `interface`; one of them is "".

    `prefix`: any interface whose name begins with `interface`. `origin`: the setting that says so.
    """

    cidr: str
    interface: str
    prefix: bool
    origin: Origin


def local_detector(proxy: ProxyConfiguration, node: Node, family: int) -> LocalDetector | None:
    """The detector of one family; None when nothing is configured, and no rule is written then."""
    match proxy.detect_local_mode:
        case "ClusterCIDR":
            return _by_cidr(proxy.cluster_cidr(family), _setting("clusterCIDR"))
        case "NodeCIDR":
            return _by_cidr(node.pod_cidr(family), Origin("Node", "", node.name, "spec.podCIDR"))
        case "BridgeInterface":
            return _by_interface(proxy.bridge_interface, False, _setting("detectLocal.bridgeInterface"))
        case "InterfaceNamePrefix":
            return _by_interface(proxy.interface_name_prefix, True, _setting("detectLocal.interfaceNamePrefix"))
        case other:
            raise PacketsimError(
                f"detectLocalMode {other!r} is not known: use ClusterCIDR, NodeCIDR, BridgeInterface "
                "or InterfaceNamePrefix."
            )


def _setting(path: str) -> Origin:
    return Origin("KubeProxyConfiguration", "", "", path)


def _by_cidr(cidr: str | None, origin: Origin) -> LocalDetector | None:
    return LocalDetector(cidr, "", False, origin) if cidr else None


def _by_interface(name: str, prefix: bool, origin: Origin) -> LocalDetector | None:
    return LocalDetector("", name, prefix, origin) if name else None
