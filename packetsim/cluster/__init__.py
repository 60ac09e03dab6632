"""Rule: the cluster's objects as values, and how manifests become them. Nothing here knows rules or packets."""

from packetsim.cluster.changes import replace_endpoints, replace_service
from packetsim.cluster.documents import Source, source_from_bytes
from packetsim.cluster.flow_tests import OUTCOMES, FlowExpectation, FlowTest
from packetsim.cluster.manifests import Manifests, load, load_documents
from packetsim.cluster.proxy_configuration import MODES
from packetsim.cluster.running import Running, running_in

__all__ = [
    "MODES",
    "OUTCOMES",
    "FlowExpectation",
    "FlowTest",
    "Manifests",
    "Running",
    "Source",
    "load",
    "load_documents",
    "replace_endpoints",
    "replace_service",
    "running_in",
    "source_from_bytes",
]
