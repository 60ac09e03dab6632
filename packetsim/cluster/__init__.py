"""Rule: the cluster's objects as values, and how manifests become them. Nothing here knows rules or packets."""

from packetsim.cluster.changes import replace_endpoints, replace_service
from packetsim.cluster.documents import Source, source_from_bytes
from packetsim.cluster.flow_tests import OUTCOMES, FlowExpectation, FlowTest
from packetsim.cluster.manifests import Manifests, load
from packetsim.cluster.proxy_configuration import MODES

__all__ = [
    "MODES",
    "OUTCOMES",
    "FlowExpectation",
    "FlowTest",
    "Manifests",
    "Source",
    "load",
    "replace_endpoints",
    "replace_service",
    "source_from_bytes",
]
