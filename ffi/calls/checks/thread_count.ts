/**
 * How many threads may be asked for: some more than the machine has cores, but not any number. They wait for each other in loops, so that with
 * hundreds on two cores a token takes minutes, and what starts them may end the process where there are no more to be had.
 *
 * @module
 */

import { constants } from "../../generated/constants.js";

/** The most threads that one computation may have here. */
export function mostThreads(): number {
  return Math.min(constants.GGML_MAX_N_THREADS, Math.max(16, 8 * navigator.hardwareConcurrency));
}

/** Throws if there are more than the machine can be asked for, or fewer than `least`. */
export function expectThreads(where: string, n_threads: number, least = -Infinity): void {
  const cores = navigator.hardwareConcurrency, most = mostThreads();
  if (n_threads >= least && n_threads <= most) return;
  const range = least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
  throw new RangeError(`${where}: expected ${range} threads for ${cores} ${cores === 1 ? "core" : "cores"}, got ${n_threads}`);
}
