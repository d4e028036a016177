/**
 * Functions that not every release has, for what is written by hand.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { has } from "../../ffi/load/library.ts";

/** A function of the API; null where the bindings or the loaded library lack it. */
export function optional<F>(name: string): F | null {
  return Object.hasOwn(lib, name) && has(name) ? (lib as unknown as Record<string, F>)[name] : null;
}

/** A function of the API, or an Error that names it. */
export function needed<F>(name: string): F {
  const found = (lib as unknown as Record<string, F | undefined>)[name];
  if (found === undefined) throw new Error(`${name} is not in these bindings' release of ggml`);
  return found; // what the library lacks says so itself
}
