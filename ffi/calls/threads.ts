/**
 * Threads and custom operators in TypeScript: a synchronous computation of a graph that holds such an operator runs on one thread.
 *
 * ggml calls a custom operator from every thread that computes, whatever its `n_tasks` says, and Deno runs a callback on the thread of its
 * isolate alone. While that waits in a synchronous call, a call from another thread is never answered: the process hangs. So the functions
 * that compute are wrapped where they are bound. Until there is a custom operator in TypeScript that costs a test of a boolean; then the graph
 * is searched for one, which takes 0.1 µs a node.
 *
 * This is about deadlocks, not about speed: any other graph gets the threads that were asked for. `computeAsync` binds the same functions by
 * itself and may use any number of threads; `lib.async` takes these.
 *
 * @module
 */

import { after, lastly, type Later } from "../core/after.ts";
import { cBytes } from "../core/c_memory.ts";
import { isScript } from "../core/callback.ts";
import { type Pending, takeWord, training } from "./checks/pending.ts";
import { computeInSlices } from "./checks/slices.ts";
import { IndexWatch, NodeWatch } from "./checks/node_watch.ts";
import { enums } from "../generated/enums.js";
import { setEvaluation, watched } from "./evaluation.ts";
import { backendsOf, callNow } from "./call_now.ts";
import { anyOperator } from "./function_types.ts";
import { comparing } from "./context_memory.ts";
import { nodesOf } from "./graph_nodes.ts";
import { addressOf } from "../core/handle.ts";
import { using } from "../core/in_use.ts";
import { ABI } from "../generated/layouts.js";
import { library } from "../load/library.ts";
import { operation } from "../load/numbering.ts";
import { plannedAt } from "./plans.ts";
import { schedulerOf } from "./schedulers.ts";

// deno-lint-ignore no-explicit-any
type Bound = (...args: any[]) => any;

const TENSOR = ABI.records.ggml_tensor.fields;
/** What a CPU backend begins with: GGML_DEFAULT_N_THREADS, but no more than there are cores. */
const defaultThreads = () => Math.min(4, navigator.hardwareConcurrency);

/** The threads that CPU backends were told to use. C doesn't give them back. */
const backendThreads: Map<bigint, number> = new Map();

/** Calls a function of the library by its name: at once, or on another thread. */
export type Call = (name: string, parameters: readonly Deno.NativeType[], result: Deno.NativeResultType, ...args: unknown[]) => unknown;

/** What is put around the functions that compute, by name: from the bound symbol to the one that is called. `call` is for what they call besides. */
const WRAPPERS: Readonly<Record<string, (symbol: Bound, call: Call) => Bound>> = {
  ggml_graph_compute_with_ctx: (symbol, call) => (ctx, graph, threads) => {
    const word = takeWord(graph);
    if (word === null) return symbol(ctx, graph, hasOperator(graph) ? 1 : threads);
    return word.late.length === 0 ? symbol(ctx, graph, 1) : onPlan(word, threads, call);
  },
  ggml_graph_compute: (symbol) => (graph, plan) =>
    inTurn(graph, (slice, alone) => alone ? withPlan(plan, () => symbol(slice, plan)) : symbol(slice, plan)),
  ggml_backend_graph_compute: onBackend,
  ggml_backend_graph_compute_async: onBackend,
  ggml_backend_graph_plan_create: (symbol) => (backend, graph) =>
    hasOperator(graph) ? withBackends([backend], () => symbol(backend, graph)) : symbol(backend, graph),
  ggml_backend_graph_plan_compute: (symbol, call) => (backend, plan) => {
    const graph = plannedAt(addressOf(plan))?.graph, word = graph === undefined ? null : takeWord(graph);
    if (word === null) return symbol(backend, plan);
    const compute = (slice: bigint) => call("ggml_backend_graph_compute", ["u64", "u64"], "i32", backend, slice) as Later<number>;
    return withBackends([backend], () => computeInSlices(word, compute));
  },
  ggml_backend_compare_graph_backend: (symbol) => (first, second, graph, ...rest) => {
    const compare = () => comparing(() => symbol(first, second, graph, ...rest));
    return hasOperator(graph) || takeWord(graph)?.alone ? withBackends([first, second], compare) : compare();
  },
  ggml_backend_sched_graph_compute: onScheduler,
  ggml_backend_sched_graph_compute_async: onScheduler,
  ggml_backend_sched_set_eval_callback: (symbol) => (scheduler, callback, data) => {
    setEvaluation(scheduler, callback, data);
    return symbol(scheduler, callback, data);
  },
  ggml_backend_sched_free: (symbol) => (scheduler) => {
    setEvaluation(scheduler, 0n, null); // another scheduler may come to lie there
    return symbol(scheduler);
  },
  ggml_backend_free: (symbol) => (backend) => {
    backendThreads.delete(backend);
    return symbol(backend);
  },
  ggml_backend_cpu_init: onThisMachine,
  ggml_backend_dev_init: onThisMachine,
  ggml_backend_init_best: onThisMachine,
  ggml_backend_init_by_name: onThisMachine,
  ggml_backend_init_by_type: onThisMachine,
  ggml_backend_cpu_set_n_threads: (symbol) => (backend, threads) => {
    backendThreads.set(backend, threads);
    return symbol(backend, threads);
  },
  ggml_opt_eval: onOptimizer,
  ggml_opt_epoch: onOptimizer,
  ggml_opt_fit: (symbol) => (scheduler, ...rest) => train(scheduler, () => symbol(scheduler, ...rest)),
};

/** A symbol as the generated functions call it. Its results are promises if those of `symbol` and `call` are. */
export function guarded(name: string, symbol: Bound, call: Call = callNow): Bound {
  const wrapped = Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name](symbol, call) : symbol;
  return COMPUTES.test(name) ? using(name, wrapped) : wrapped;
}

/** The functions that compute. */
const COMPUTES = /^ggml_(?:graph_compute|backend_(?:sched_)?graph_(?:plan_)?compute|backend_compare_graph_backend|opt_(?:eval|epoch|fit)$)/;

/** Computes a graph: in slices where it computes indices, by one thread where it must be. */
function inTurn(graph: bigint, compute: (slice: bigint, alone: boolean) => Later<number>): Later<number> {
  const word = takeWord(graph);
  if (word === null) return compute(graph, hasOperator(graph));
  const alone = word.alone || hasOperator(graph);
  return word.late.length === 0 ? compute(graph, alone) : computeInSlices(word, (slice) => compute(slice, alone));
}

/** What `ggml_graph_compute_with_ctx` does, in slices: their working memory isn't taken from the context for each anew. */
function onPlan({ lib, graph, alone, ...word }: Pending, threads: number, call: Call): Later<number> {
  const plan = lib.ggml_graph_plan(graph as never, alone || hasOperator(graph.address) ? 1 : threads, null);
  if (plan.work_size > 0) plan.work_data = cBytes(plan.work_size) as never;
  const compute = (slice: bigint) => call("ggml_graph_compute", ["u64", "u64"], "i32", slice, plan.address) as Later<number>;
  return lastly(() => computeInSlices({ ...word, lib, graph, alone }, compute), () => plan.owner); // which lives until here
}

function onBackend(symbol: Bound): Bound {
  return (backend, graph) =>
    inTurn(graph, (slice, alone) => alone ? withBackends([backend], () => symbol(backend, slice)) : symbol(backend, slice));
}

/** A new backend. With more threads than cores, each waits in a loop for one that doesn't run. */
function onThisMachine(symbol: Bound): Bound {
  return (...args) =>
    after(symbol(...args), (backend: bigint) => {
      const isCpu = library().findOnce("ggml_backend_is_cpu", ["u64"], "bool");
      if (backend === 0n || !isCpu?.(backend)) return backend;
      backendThreads.delete(backend); // of one that was freed there
      callNow("ggml_backend_cpu_set_n_threads", ["u64", "i32"], "void", backend, defaultThreads());
      return backend;
    });
}

function onScheduler(symbol: Bound): Bound {
  return (scheduler, graph) => {
    const word = takeWord(graph), alone = word?.alone || hasOperator(graph);
    const compute = () => alone ? withBackends(backendsOf(scheduler), () => symbol(scheduler, graph)) : symbol(scheduler, graph);
    if (word === null || word.late.length === 0) return compute();
    return watched(scheduler, new IndexWatch(word.where, word.graph, word.late), compute);
  };
}

function onOptimizer(symbol: Bound): Bound {
  return (optimizer, ...rest) => {
    const scheduler = schedulerOf(optimizer), call = () => symbol(optimizer, ...rest);
    return scheduler === undefined ? call() : train(scheduler, call);
  };
}

/** The threads that a CPU backend was told to use. */
export function threadsOf(backend: bigint): number {
  return backendThreads.get(backend) ?? defaultThreads();
}

/** An optimizer's graphs are not at hand: their nodes are looked at one by one, and are computed by one thread once there are operators in TypeScript. */
function train<T>(scheduler: bigint, run: () => Later<T>): Later<T> {
  const word = training.take();
  const compute = () => anyOperator ? withBackends(backendsOf(scheduler), run) : run();
  return word === null ? compute() : watched(scheduler, new NodeWatch(word.where, word.lib, word.owner), compute);
}

/** True if a graph holds a custom operator in TypeScript. */
function hasOperator(graph: bigint): boolean {
  return anyOperator && operatorsOf(graph).next().done === false;
}

/** The addresses of a graph's nodes that are custom operators in TypeScript. */
export function* operatorsOf(graph: bigint): Generator<bigint> {
  if (!anyOperator) return;
  for (const node of nodesOf(graph)) {
    const view = new Deno.UnsafePointerView(Deno.UnsafePointer.create(node)!);
    if (isOperator(operation(view.getInt32(TENSOR.op))) && isScript(view.getBigUint64(TENSOR.op_params))) yield node;
  }
}

/** True for the operations that call a function pointer. */
function isOperator(op: number): boolean {
  const { GGML_OP_MAP_CUSTOM1, GGML_OP_MAP_CUSTOM2, GGML_OP_MAP_CUSTOM3, GGML_OP_CUSTOM } = enums;
  return op === GGML_OP_MAP_CUSTOM1 || op === GGML_OP_MAP_CUSTOM2 || op === GGML_OP_MAP_CUSTOM3 || op === GGML_OP_CUSTOM;
}

/** Runs `compute` with a plan's number of threads set to 1. */
function withPlan<T>(plan: bigint, compute: () => Later<T>): Later<T> {
  const { size, fields } = ABI.records.ggml_cplan;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(plan)!, size));
  const threads = view.getInt32(fields.n_threads, true);
  view.setInt32(fields.n_threads, 1, true);
  return lastly(compute, () => view.setInt32(fields.n_threads, threads, true));
}

/** Runs `compute` with the CPU backends among `backends` set to one thread. */
function withBackends<T>(backends: readonly bigint[], compute: () => Later<T>): Later<T> {
  const cpus = backends.filter((backend) => callNow("ggml_backend_is_cpu", ["u64"], "bool", backend));
  const set = (backend: bigint, threads: number) => callNow("ggml_backend_cpu_set_n_threads", ["u64", "i32"], "void", backend, threads);
  for (const backend of cpus) set(backend, 1);
  return lastly(compute, () => {
    for (const backend of cpus) set(backend, threadsOf(backend));
  });
}
