// Rule: the player's words, in Simplified Chinese; the keys are those of en.ts.
import type { en } from "./en";

export const zhHans: Readonly<Record<keyof typeof en, string>> = {
  "mode.userspace": "userspace",
  "mode.iptables": "iptables",
  "mode.ipvs": "IPVS",
  "mode.nftables": "nftables",
};
