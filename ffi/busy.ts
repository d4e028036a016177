/**
 * Graphs that are being computed asynchronously: until that is done nothing may compute them too, change them, or place their tensors anew.
 *
 * @module
 */

import type { Wrappers } from "./watch.ts";

// deno-lint-ignore no-explicit-any
type Symbol = (...args: any[]) => any;

/** Their addresses. */
export const busy: Set<bigint> = new Set();

/** Throws if a graph is one of them. */
export function expectIdle(graph: bigint): void {
  if (busy.has(graph)) throw new Error("this graph is being computed by computeAsync; await that first");
}

/** Does what only the computation itself may do with its graph before C gets it. */
export function prepare<T>(graph: bigint, run: () => T): T {
  busy.delete(graph);
  try {
    return run();
  } finally {
    busy.add(graph);
  }
}

/** A function whose argument of that index is the graph. */
function after(index: number): (symbol: Symbol) => Symbol {
  return (symbol) => (...args) => {
    if (busy.size > 0) expectIdle(args[index]);
    return symbol(...args);
  };
}

/** What is put around the functions that change a graph. Those that place its tensors are told apart in `placement.ts`, those that compute it in `threads.ts`. */
export const wrappers: Wrappers = {
  ggml_graph_clear: after(0),
  ggml_graph_reset: after(0),
  ggml_build_forward_expand: after(0),
  ggml_gallocr_reserve: after(1),
  ggml_gallocr_reserve_n: after(1),
};
