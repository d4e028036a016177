/**
 * A context in a terminal: how much of its memory is used.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { formatBytes, formatCount, formatShare } from "./units.ts";

const WIDTH = 24;

/** A context in one line. */
export function contextText(ctx: lib.ggml_context): string {
  const size = lib.ggml_get_mem_size(ctx), used = lib.ggml_used_mem(ctx);
  const filled = Math.round(WIDTH * used / size);
  const bar = `[${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}]`;
  return `ggml_context: ${bar} ${formatBytes(used)} of ${formatBytes(size)} used (${formatShare(used / size)}), ` +
    `${formatBytes(size - used)} free, ${formatCount(countOf(ctx), "tensor")}${lib.ggml_get_no_alloc(ctx) ? " (noAlloc)" : ""}`;
}

function countOf(ctx: lib.ggml_context): number {
  let count = 0;
  for (let tensor = lib.ggml_get_first_tensor(ctx); tensor !== null; tensor = lib.ggml_get_next_tensor(ctx, tensor)) count++;
  return count;
}
