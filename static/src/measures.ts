// Rule: the sizes of what the map draws, in its own units, which are pixels where it is not zoomed.

export const POD = { width: 100, height: 54, gap: 10 } as const;
export const NODE = { columns: 3, pad: 15, gap: 22, mostRows: 4 } as const;
export const NODE_WIDTH = NODE.columns * POD.width + (NODE.columns - 1) * POD.gap + 2 * NODE.pad;
export const SERVICE = { width: 222, height: 44, gap: 14, above: 52, mostRows: 2 } as const;
export const HOST = { width: 112, height: 34, gap: 8 } as const;

/** Heights in a node, measured up from its lower edge. */
export const LEVEL = {
  wire: 34,
  kernelBottom: 31,
  channel: 40,
  rail: 67,
  kernelTop: 95,
  process: 108,
  bridge: 155,
  pods: 176,
} as const;
export const PROCESS = { width: 124, height: 22 } as const;

export function podX(cell: number): number {
  return NODE.pad + (cell % NODE.columns) * (POD.width + POD.gap);
}
