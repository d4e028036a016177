/**
 * Views that reach beyond what they are views of: C checks their size as if their strides were those of contiguous rows.
 *
 * Kernels read a view's first dimensions as if they were contiguous, as many as they please, and the others by their strides. So a view has room
 * enough if each way of reading it stays within its source. Where it doesn't, C would read or write somebody else's memory.
 *
 * @module
 */

import type { Node } from "./node.ts";
import { traitsOf } from "./types.ts";

/** Why a view can't be read; null if it can, or is no view. */
export function outside(node: Node): string | null {
  const source = node.view;
  if (source === null) return null;
  const bytes = reach(node), { offset } = node, size = source.bytes;
  if (offset >= 0 && offset + bytes <= size) return null;
  return `it reaches from byte ${offset} to byte ${offset + bytes} of a tensor of ${size}`;
}

/** The most bytes that a kernel may touch, from the first one on. */
export function reach(node: Node): number {
  const { ne, nb, type } = node, { size, block } = traitsOf(type);
  if (ne.some((count) => count <= 0)) return 0;
  let contiguous = size / block, most = node.bytes;
  ne.forEach((count, i) => {
    contiguous *= count;
    const rest = ne.reduce((sum, n, j) => j > i ? sum + (n - 1) * nb[j] : sum, 0);
    most = Math.max(most, Math.ceil(contiguous) + rest);
  });
  return most;
}
