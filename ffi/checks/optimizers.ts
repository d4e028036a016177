/**
 * Checks of optimizers: what they have in their schedulers (`../optimizers.ts`), and graphs that the caller builds anew for each step.
 *
 * @module
 */

import { ownerAt } from "../known.ts";
import type { lib as generated } from "../lib.js";
import { afterOptimizer, type Kind, kindOf, movesOf, type Optimizer, optimizerAt } from "../optimizers.ts";
import type { Owner } from "../owner.ts";
import { isHeldBy, places, placesElsewhere, willPlace } from "../placement.ts";
import type { Int, Lib } from "./say.ts";

type Handle = generated.ggml_opt_context;
type Graph = generated.ggml_cgraph;
type Scheduler = generated.ggml_backend_sched;

/** The graph that an optimizer was given last, and how many nodes the first had that it allocated. */
const graphs = new WeakMap<Owner, { graph: Graph; nodes: number | null }>();

/** The scheduler of an optimizer that was made here. */
function schedulerOf(lib: Lib, optimizer: Optimizer): Scheduler | null {
  const owner = ownerAt("ggml_backend_sched", optimizer.scheduler);
  return owner === undefined ? null : new lib.ggml_backend_sched(optimizer.scheduler, owner);
}

/** Has an optimizer allocate a graph: what the scheduler allocated before has no memory any more. */
function willAllocate(where: string, lib: Lib, handle: Handle, optimizer: Optimizer, kind: Kind): void {
  const scheduler = schedulerOf(lib, optimizer);
  if (scheduler === null) return;
  if (!optimizer.isStatic || optimizer.allocated !== kind) return willPlace(null, scheduler, null);
  if (isHeldBy(scheduler, handle.owner)) return; // C does nothing
  expectUnmoved(where, optimizer);
  willPlace(null, scheduler, lib.ggml_backend_sched_reset); // so C allocates it anew, where it was
}

/** C takes the graph for allocated where it was. */
function expectUnmoved(where: string, optimizer: Optimizer): void {
  if (movesOf(optimizer.scheduler) === optimizer.moves) return;
  throw new Error(
    `${where}(opt_ctx): its scheduler has moved its memory for a larger graph since. Compute that with a scheduler of its own`,
  );
}

/** Notes what C allocated. */
function hasAllocated(lib: Lib, handle: Handle, optimizer: Optimizer, kind: Kind): void {
  const scheduler = schedulerOf(lib, optimizer), graph = graphs.get(handle.owner)?.graph;
  optimizer.allocated = kind;
  optimizer.moves = movesOf(optimizer.scheduler);
  if (scheduler === null) return;
  if (optimizer.isStatic) placesElsewhere(handle.owner, scheduler);
  else if (graph !== undefined && !graph.owner.freed) places(graph, scheduler);
}

/** Keeps a gradient for each node of the first graph, and looks for one of each node of any other. */
function expectNodes(lib: Lib, handle: Handle): void {
  const known = graphs.get(handle.owner);
  if (known === undefined || known.graph.owner.freed) return;
  const nodes = lib.ggml_graph_n_nodes(known.graph);
  known.nodes ??= nodes;
  if (nodes <= known.nodes) return;
  throw new RangeError(`ggml_opt_alloc(opt_ctx): expected a graph of at most ${known.nodes} nodes, as the first had, got ${nodes}`);
}

/** How many batches there are in a data set, and before a data point. */
function batchesOf(lib: Lib, handle: Handle, dataset: generated.ggml_opt_dataset, split: Int): { all: number; backward: number } {
  const [, ndata] = lib.ggml_opt_dataset_data(dataset).ne, size = lib.ggml_opt_inputs(handle)?.ne[1] ?? 0;
  const all = size > 0 ? Math.floor(ndata / size) : 0;
  return { all, backward: split < 0 ? all : size > 0 ? Math.floor(Number(split) / size) : 0 };
}

/** Of ggml-opt.h. */
export const optimizers = {
  ggml_opt_prepare_alloc(_lib: Lib, opt_ctx: Handle, _ctx_compute: unknown, gf: Graph): void {
    graphs.set(opt_ctx.owner, { graph: gf, nodes: graphs.get(opt_ctx.owner)?.nodes ?? null });
  },
  ggml_opt_alloc(lib: Lib, opt_ctx: Handle, backward: boolean): void {
    const optimizer = optimizerAt(opt_ctx.address);
    if (optimizer === undefined) return;
    expectNodes(lib, opt_ctx);
    const kind = kindOf(optimizer, backward);
    willAllocate("ggml_opt_alloc", lib, opt_ctx, optimizer, kind);
    afterOptimizer(() => hasAllocated(lib, opt_ctx, optimizer, kind));
  },
  /** Computes what the scheduler has allocated, or allocates its own graph again. */
  ggml_opt_eval(lib: Lib, opt_ctx: Handle): void {
    const optimizer = optimizerAt(opt_ctx.address);
    if (optimizer === undefined || optimizer.allocated === null) return;
    const { allocated } = optimizer;
    if (optimizer.isStatic) willAllocate("ggml_opt_eval", lib, opt_ctx, optimizer, allocated);
    afterOptimizer(() => {
      hasAllocated(lib, opt_ctx, optimizer, allocated);
      optimizer.steps++;
      if (!optimizer.isStatic) optimizer.allocated = null;
    });
  },
  ggml_opt_epoch(lib: Lib, opt_ctx: Handle, dataset: generated.ggml_opt_dataset, _train: unknown, _eval: unknown, idata_split: Int): void {
    const optimizer = optimizerAt(opt_ctx.address);
    if (optimizer === undefined || !optimizer.isStatic) return; // C asserts that it is
    const { all, backward } = batchesOf(lib, opt_ctx, dataset, idata_split);
    willAllocate("ggml_opt_epoch", lib, opt_ctx, optimizer, kindOf(optimizer, backward > 0));
    const last = kindOf(optimizer, backward >= all, all - 1);
    afterOptimizer(() => {
      hasAllocated(lib, opt_ctx, optimizer, last);
      optimizer.steps += all;
    });
  },
  /** Makes an optimizer, and frees it. */
  ggml_opt_fit(_lib: Lib, backend_sched: Scheduler): void {
    willPlace(null, backend_sched, null);
  },
};
