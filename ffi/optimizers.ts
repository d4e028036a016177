/**
 * What optimizers have in their schedulers. A scheduler computes the graph that it has allocated, whatever it is told; and an optimizer whose graphs
 * are built once takes its own for allocated for as long as it computes the same, though the scheduler's memory may be another graph's by then, or
 * freed. So the functions that change it are watched where they are bound, and `checks/optimizers.ts` asks here.
 *
 * @module
 */

import { ABI } from "./layouts.js";
import { library } from "./library.ts";

// deno-lint-ignore no-explicit-any
type Symbol = (...args: any[]) => any;

/** Which of its graphs an optimizer computes: without a step backward, with one, or with that and a step of its own. */
export type Kind = "forward" | "backward" | "step";

/** What is known of an optimizer. */
export interface Optimizer {
  readonly scheduler: bigint;
  /** True if its graphs are built once. */
  readonly isStatic: boolean;
  /** After so many steps backward there is one of its own. */
  readonly period: number;
  /** The steps that it computed. */
  steps: number;
  /** What it has allocated. */
  allocated: Kind | null;
  /** How often the scheduler's memory had moved by then. */
  moves: number;
}

const optimizers: Map<bigint, Optimizer> = new Map();

/** How often their memory moved, of schedulers that have optimizers; and the size of it. */
const schedulers: Map<bigint, { moves: number; size: bigint }> = new Map();

/** The optimizer at an address; undefined if it is none that was made here. */
export function optimizerAt(address: bigint): Optimizer | undefined {
  return optimizers.get(address);
}

/** How often a scheduler's memory has moved. */
export function movesOf(scheduler: bigint): number {
  return schedulers.get(scheduler)?.moves ?? 0;
}

/** What an optimizer would compute as its `ahead`-th step from now. */
export function kindOf({ steps, period }: Optimizer, backward: boolean, ahead = 0): Kind {
  return !backward ? "forward" : (steps + ahead + 1) % period === 0 ? "step" : "backward";
}

const WRAPPERS: Readonly<Record<string, (symbol: Symbol) => Symbol>> = {
  ggml_opt_init: (symbol) => (params: Uint8Array<ArrayBuffer>) => {
    const { fields } = ABI.records.ggml_opt_params, view = new DataView(params.buffer, params.byteOffset);
    const scheduler = view.getBigUint64(fields.backend_sched, true), address: bigint = symbol(params);
    if (address === 0n) return address;
    const isStatic = view.getBigUint64(fields.ctx_compute, true) !== 0n, period = view.getInt32(fields.opt_period, true);
    optimizers.set(address, { scheduler, isStatic, period, steps: 0, allocated: null, moves: 0 });
    if (!schedulers.has(scheduler)) schedulers.set(scheduler, { moves: 0, size: sizeOf(scheduler) });
    return address;
  },
  ggml_opt_free: (symbol) => (optimizer) => {
    optimizers.delete(optimizer);
    symbol(optimizer);
  },
  ggml_backend_sched_free: (symbol) => (scheduler) => {
    schedulers.delete(scheduler);
    symbol(scheduler);
  },
  ggml_backend_sched_alloc_graph: moving,
  ggml_backend_sched_graph_compute: moving,
  ggml_backend_sched_graph_compute_async: moving,
  ggml_backend_sched_reserve: moving,
  ggml_backend_sched_reserve_size: moving,
  ggml_opt_fit: moving,
  ggml_opt_alloc: movingFor,
  ggml_opt_eval: movingFor,
  ggml_opt_epoch: movingFor,
};

/** A symbol as the generated functions call it. */
export function training(name: string, symbol: Symbol): Symbol {
  return Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name](symbol) : symbol;
}

/** Of a scheduler. */
function moving(symbol: Symbol): Symbol {
  return (scheduler, ...rest) => {
    const result = symbol(scheduler, ...rest);
    lookAt(scheduler);
    return result;
  };
}

/** Of an optimizer's scheduler. */
function movingFor(symbol: Symbol): Symbol {
  return (address, ...rest) => {
    const result = symbol(address, ...rest), optimizer = optimizers.get(address);
    if (optimizer !== undefined) lookAt(optimizer.scheduler);
    afterwards?.();
    afterwards = null;
    return result;
  };
}

/** What a check has done after the call that it stands before. */
let afterwards: (() => void) | null = null;

/** Has a function called after the next call of `ggml_opt_alloc`, `ggml_opt_eval` or `ggml_opt_epoch`, whether C fails in it or not. */
export function afterOptimizer(f: () => void): void {
  afterwards = f;
}

/** A scheduler's memory is only made anew where more is needed; then the old is freed. */
function lookAt(scheduler: bigint): void {
  const known = schedulers.get(scheduler);
  if (known === undefined) return;
  const size = sizeOf(scheduler);
  if (size === known.size) return;
  known.size = size;
  known.moves++;
}

let count: ((scheduler: bigint) => number) | null = null;
let backend: ((scheduler: bigint, i: number) => bigint) | null = null;
let size: ((scheduler: bigint, backend: bigint) => bigint) | null = null;

/** The bytes that a scheduler has for graphs. */
function sizeOf(scheduler: bigint): bigint {
  count ??= library().symbol("ggml_backend_sched_get_n_backends", { parameters: ["u64"], result: "i32" }) as typeof count;
  backend ??= library().symbol("ggml_backend_sched_get_backend", { parameters: ["u64", "i32"], result: "u64" }) as typeof backend;
  size ??= library().symbol("ggml_backend_sched_get_buffer_size", { parameters: ["u64", "u64"], result: "usize" }) as typeof size;
  let sum = 0n;
  for (let i = 0; i < count!(scheduler); i++) sum += BigInt(size!(scheduler, backend!(scheduler, i)));
  return sum;
}
