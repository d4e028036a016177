/**
 * What a handle shows that has nothing more to show: one that was freed.
 *
 * @module
 */

import { Handle } from "../../ffi/core/handle.ts";

/** What any handle shows: its address, and whether it was freed. */
export function plain(handle: Handle): string {
  return Handle.prototype.toString.call(handle);
}
