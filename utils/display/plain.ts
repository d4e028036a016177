/**
 * What a handle shows that has nothing more to show: one that was freed.
 *
 * @module
 */

import { Handle } from "../../ffi/handle.ts";

/** What any handle shows: its address, and whether it was freed. */
export function plain(handle: Handle): string {
  // A class's own prototype has no address.
  if (typeof handle.address !== "bigint") return `${handle.constructor.name} {}`;
  return (Handle.prototype as unknown as Record<symbol, () => string>)[Symbol.for("Deno.customInspect")].call(handle);
}
