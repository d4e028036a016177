/**
 * Which graph each scheduler has allocated. ggml computes that one, whatever graph it is told to compute, until the scheduler is reset; and it
 * doesn't say which it is. So the functions that change it are watched where they are bound.
 *
 * @module
 */

// deno-lint-ignore no-explicit-any
type Symbol = (...args: any[]) => any;

const graphs: Map<bigint, bigint> = new Map();

const WRAPPERS: Readonly<Record<string, (symbol: Symbol) => Symbol>> = {
  ggml_backend_sched_alloc_graph: takes,
  ggml_backend_sched_graph_compute: takes,
  ggml_backend_sched_graph_compute_async: takes,
  ggml_backend_sched_reserve: resets,
  ggml_backend_sched_reset: resets,
  ggml_backend_sched_free: resets,
};

/** A symbol as the generated functions call it. */
export function watched(name: string, symbol: Symbol): Symbol {
  return Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name](symbol) : symbol;
}

/** Notes that a scheduler was told to compute a graph. Gives the one that it will compute. */
export function takeGraph(scheduler: bigint, graph: bigint): bigint {
  const allocated = graphs.get(scheduler) ?? graph;
  graphs.set(scheduler, allocated);
  return allocated;
}

/** Notes that a scheduler has none. */
export function forgetGraph(scheduler: bigint): void {
  graphs.delete(scheduler);
}

function takes(symbol: Symbol): Symbol {
  return (scheduler, graph) => {
    takeGraph(scheduler, graph);
    return symbol(scheduler, graph);
  };
}

function resets(symbol: Symbol): Symbol {
  return (scheduler, ...rest) => {
    graphs.delete(scheduler);
    return symbol(scheduler, ...rest);
  };
}
