"""Rule: which Kubernetes release's rules each proxy mode writes stands here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

# userspace left the tree in 1.26 (kubernetes PR 112133); 1.25 is the last release that had it.
RULES_OF: Mapping[str, str] = {"userspace": "1.25", "iptables": "1.35", "ipvs": "1.35", "nftables": "1.35"}
