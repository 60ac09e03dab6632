"""Rule: a Simulation is a cluster, a proxy mode and dice; it moves only when something is sent or changed."""

from __future__ import annotations

from packetsim.conversation import Conversation
from packetsim.trace import Flow, Trace
from packetsim.world import World


class Simulation(World):
    """Send flows with `send`, change the cluster with `apply`, let time pass with `wait`, branch with `copy`."""

    def send(self, flow: Flow, record: bool = True) -> Trace:
        """The flow's request, its answer, and what completes the handshake. `record` False: no steps."""
        return Conversation(self, flow, record).hold()
