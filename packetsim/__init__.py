"""The engine: Kubernetes objects in, the node's real rules and a packet's exact path out.

Read `trace.py` (what a walk says), `hooks.py` (where netfilter stands), then one case end to end:
a FlowTest under tests/packetsim/behaviours, `kubeproxy/iptables.py`, its golden text, and
`kernel/iptables/traverse.py`. Chance and time are passed in; nothing here has a clock or dice.
"""

from packetsim.cluster import Manifests, Source, load
from packetsim.cluster.model import Cluster
from packetsim.dice import Dice, RolledDice
from packetsim.errors import FlowError, ManifestError, PacketsimError, RuleTextError
from packetsim.flows import flow_from
from packetsim.kubeproxy.modes import MODES
from packetsim.outcomes import FlowOutcome, outcomes
from packetsim.simulation import Simulation
from packetsim.trace import Disposition, Flow, Trace

__all__ = [
    "MODES",
    "Cluster",
    "Dice",
    "Disposition",
    "Flow",
    "FlowError",
    "FlowOutcome",
    "ManifestError",
    "Manifests",
    "PacketsimError",
    "RolledDice",
    "RuleTextError",
    "Simulation",
    "Source",
    "Trace",
    "flow_from",
    "load",
    "outcomes",
]
