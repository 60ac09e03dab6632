"""Rule: a look at a lab takes hold of one moment, which costs nothing; words are made of it while the lab goes on."""

from __future__ import annotations

from dataclasses import dataclass

from packetsim.cluster import Manifests
from visualizer import changing, clusters
from visualizer.lab_state import LabState
from visualizer.schemas import LabView, Role


@dataclass(frozen=True, slots=True)
class Seen:
    """A lab after event `seq`. Nothing of it changes any more, so any thread may read it."""

    seq: int
    state: LabState
    manifests: Manifests

    def view(self, role: Role, expires: str) -> LabView:
        state = self.state
        return LabView(
            seq=self.seq,
            title=state.title,
            role=role,
            mode=state.mode,
            documents=[changing.document_view(one) for one in state.documents.values()],
            cluster=clusters.cluster_view(self.manifests.cluster, state.documents),
            traces=list(state.summaries),
            notices=list(self.manifests.notices),
            can_undo=bool(state.undo),
            can_redo=bool(state.redo),
            expires=expires,
        )
