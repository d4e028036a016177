/**
 * Who hears the next call on another thread: left here by whoever begins it, for what calls C.
 *
 * @module
 */

import type { Heard } from "./heard.ts";

let next: Heard | null = null;

/** Begins a call; null for one that nobody hears. */
export function withHearer<T>(hearer: Heard | null, begin: () => T): T {
  const outer = next;
  next = hearer;
  try {
    return begin();
  } finally {
    next = outer;
  }
}

/** Takes it: of calls that are begun by it, it hears the first. */
export function takeHearer(): Heard | null {
  const taken = next;
  next = null;
  return taken;
}
