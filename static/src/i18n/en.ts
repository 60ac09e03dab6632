// Rule: the player's words, in English: its controls, and the sentences that tell a trace's steps. zh-hans.ts has the same keys.
export const en = {
  "mode.userspace": "userspace",
  "mode.iptables": "iptables",
  "mode.ipvs": "IPVS",
  "mode.nftables": "nftables",
} as const;
