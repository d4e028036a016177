/**
 * Which graph each scheduler has allocated, and whether it is an optimizer's. ggml computes that one, whatever graph it is told to compute, until
 * the scheduler is reset; and it doesn't say which it is. So the functions that change it are watched where they are bound (`watch.ts`).
 *
 * @module
 */

import { after, lastly, type Later } from "../core/after.ts";
import { ABI } from "../generated/layouts.js";
import { caught } from "../native/trap.ts";
import { callNow } from "./call_now.ts";
import { preparing } from "./checks/pending.ts";
import type { Wrappers } from "./watch.ts";

// deno-lint-ignore no-explicit-any
type Bound = (...args: any[]) => any;

const graphs: Map<bigint, bigint> = new Map();

/** The optimizers whose graphs schedulers have allocated, by scheduler. */
const holders: Map<bigint, bigint> = new Map();

/** What an optimizer doesn't say of itself. */
interface Optimizer {
  readonly scheduler: bigint;
  /** True if its graphs are built once; false if it is given one for each step. */
  readonly isStatic: boolean;
  /** How many evaluations there are to a step of the parameters, and how many there were. */
  readonly period: number;
  evaluated: number;
  /** True once a step was taken with the gradients that are summed up: they are to begin at 0 again. */
  isSpent: boolean;
  /** Which graph it had allocated last: with a step backward or without; null before the first. */
  allocated: boolean | "either" | null;
  /** True from `ggml_opt_alloc` until `ggml_opt_eval`. */
  ready: boolean;
}

const optimizers: Map<bigint, Optimizer> = new Map();

/** The graph that a scheduler has allocated, and would compute whatever it is told: 0n for an optimizer's, null for none. */
export function allocatedGraph(scheduler: bigint): bigint | null {
  return holders.has(scheduler) ? 0n : graphs.get(scheduler) ?? null;
}

/** Notes that a scheduler allocated a graph, unless it had another one already. */
export function takeGraph(scheduler: bigint, graph: bigint): void {
  if (allocatedGraph(scheduler) === null) graphs.set(scheduler, graph);
}

/** Notes that a scheduler has none. */
export function forgetGraph(scheduler: bigint): void {
  graphs.delete(scheduler);
  holders.delete(scheduler);
}

/** True while a scheduler has an optimizer's graph allocated. */
export function isHeld(scheduler: bigint): boolean {
  return holders.has(scheduler);
}

/** The scheduler of an optimizer; undefined where it isn't known. */
export function schedulerOf(optimizer: bigint): bigint | undefined {
  return optimizers.get(optimizer)?.scheduler;
}

/** True between `ggml_opt_alloc` and `ggml_opt_eval`. */
export function isReady(optimizer: bigint): boolean {
  return optimizers.get(optimizer)?.ready === true;
}

/** Notes that an optimizer computed its graph, though it couldn't add the step to a result. */
export function wasEvaluated(optimizer: bigint): void {
  const known = optimizers.get(optimizer);
  if (known === undefined) return;
  known.ready = false;
  known.evaluated++;
  if (known.allocated === true && known.evaluated % known.period === 0) known.isSpent = true;
}

/** True if an optimizer had a graph allocated, with a step backward or without, and its scheduler no longer has. */
export function hasLost(optimizer: bigint, backward: boolean): boolean {
  const known = optimizers.get(optimizer);
  if (known === undefined || (known.allocated !== "either" && known.allocated !== backward)) return false;
  return holders.get(known.scheduler) !== optimizer;
}

/** True if an optimizer was to compute its graph next, and its scheduler no longer has it. */
export function hasLostReady(optimizer: bigint): boolean {
  const known = optimizers.get(optimizer);
  return known?.ready === true && holders.get(known.scheduler) !== optimizer;
}

/** What is put around the functions that have a scheduler take a graph, or give it up. */
export const wrappers: Wrappers = {
  ggml_backend_sched_alloc_graph: takes,
  ggml_backend_sched_graph_compute: takes,
  ggml_backend_sched_graph_compute_async: takes,
  ggml_backend_sched_reserve: resets,
  ggml_backend_sched_reserve_size: resets,
  ggml_backend_sched_reset: resets,
  ggml_backend_sched_free: resets,
  ggml_opt_init: (symbol) => (params: Uint8Array) => {
    const view = new DataView(params.buffer, params.byteOffset);
    const { backend_sched, ctx_compute, opt_period } = ABI.records.ggml_opt_params.fields;
    const scheduler = view.getBigUint64(backend_sched, true), isStatic = view.getBigUint64(ctx_compute, true) !== 0n;
    const known = { scheduler, isStatic, period: view.getInt32(opt_period, true), evaluated: 0, isSpent: false };
    return after(symbol(params), (optimizer: bigint) => {
      if (optimizer !== 0n) optimizers.set(optimizer, { ...known, allocated: null, ready: false });
      return optimizer;
    });
  },
  ggml_opt_free: (symbol) => (optimizer) => {
    optimizers.delete(optimizer);
    return symbol(optimizer);
  },
  ggml_opt_alloc: (symbol) => (optimizer, backward) =>
    after(making(() => symbol(optimizer, backward)), () => {
      if (caught[0] !== 0) return;
      hold(optimizer, backward, true);
      if (backward) beginGradients(optimizer);
    }),
  ggml_opt_eval: (symbol) => (optimizer, result) =>
    after(symbol(optimizer, result), () => {
      if (caught[0] === 0) wasEvaluated(optimizer);
    }),
  ggml_opt_epoch: (symbol) => (optimizer, dataset, train, evaluation, split, ...rest) =>
    after(making(() => symbol(optimizer, dataset, train, evaluation, split, ...rest)), () => {
      if (caught[0] === 0) hold(optimizer, split > 0 ? "either" : split < 0, false);
    }),
  ggml_opt_fit: (symbol) => (scheduler, ...rest) => {
    forgetGraph(scheduler);
    return making(() => symbol(scheduler, ...rest));
  },
};

/** Runs what allocates an optimizer's graph, and what the check of the call left to be done before and after that. */
function making<T>(run: () => Later<T>): Later<T> {
  const begin = preparing.take();
  return begin === null ? run() : lastly(run, begin());
}

/**
 * Sets the gradients to 0 after a step, where the optimizer is given its graphs: C adds those of each graph to the ones before, and sets them to 0 only
 * in graphs that it has built itself.
 */
function beginGradients(optimizer: bigint): void {
  const known = optimizers.get(optimizer);
  if (known === undefined || known.isStatic || !known.isSpent) return;
  callNow("ggml_opt_reset", ["u64", "bool"], "void", optimizer, false);
  known.isSpent = false;
}

function takes(symbol: Bound): Bound {
  return (scheduler, graph) =>
    after(symbol(scheduler, graph), (result) => {
      if (caught[0] === 0) takeGraph(scheduler, graph);
      return result;
    });
}

function resets(symbol: Bound): Bound {
  return (scheduler, ...rest) => {
    forgetGraph(scheduler);
    return symbol(scheduler, ...rest);
  };
}

/** Notes that an optimizer had its scheduler allocate one of its graphs. */
function hold(optimizer: bigint, allocated: boolean | "either", ready: boolean): void {
  const known = optimizers.get(optimizer);
  if (known === undefined) return;
  known.allocated = allocated;
  known.ready = ready;
  graphs.delete(known.scheduler);
  holders.set(known.scheduler, optimizer);
}
