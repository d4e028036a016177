/**
 * Checks of optimizers: C keeps what it knows of one graph, and takes it for that of the next.
 *
 * @module
 */

import { anyCallback } from "../../core/callback.ts";
import type { Handle } from "../../core/handle.ts";
import { expectIdle, willUse } from "../../core/in_use.ts";
import type { lib as generated } from "../../generated/lib.js";
import type { Owner } from "../../core/owner.ts";
import { ownerAt } from "../../core/known.ts";
import { library } from "../../load/library.ts";
import { nodeText } from "../../load/tensor_text.ts";
import { behind } from "../graph_nodes.ts";
import { hide, placedElsewhere, places, willPlace } from "../placement.ts";
import { hasLost, hasLostReady, isReady, schedulerOf } from "../schedulers.ts";
import { expectMemory } from "./datasets.ts";
import { expectResultComputable } from "./graph.ts";
import { preparing, training } from "./pending.ts";
import type { Int, Lib, Tensor } from "./say.ts";
import { expectInput } from "./unplaced.ts";

type Dataset = generated.ggml_opt_dataset;
type Graph = generated.ggml_cgraph;
type Optimizer = generated.ggml_opt_context;
type Scheduler = generated.ggml_backend_sched;

/** The graph that an optimizer was given last, and how many nodes the first had that it allocated. */
const graphs = new WeakMap<Owner, { graph: Graph; nodes: number | null }>();

/** A graph, built anew for a step, of as many nodes as the first: C keeps a gradient for each of those, and looks for one of each of these. */
function expectAsManyNodes(lib: Lib, opt: Optimizer): void {
  const known = graphs.get(opt.owner);
  if (known === undefined || known.graph.owner.freed) return;
  const nodes = lib.ggml_graph_n_nodes(known.graph);
  known.nodes ??= nodes;
  if (nodes <= known.nodes) return;
  throw new RangeError(`ggml_opt_alloc(opt_ctx): expected a graph of at most ${known.nodes} nodes, as the first had, got ${nodes}`);
}

/**
 * An optimizer of static graphs whose scheduler has its graph still, if it had that allocated before: C doesn't allocate the same graph again, and would
 * compute whatever the scheduler has, in memory that may be somebody else's by now.
 */
function expectHeld(where: string, lib: Lib, opt: Optimizer, backward: boolean): void {
  if (!lib.ggml_opt_static_graphs(opt) || !hasLost(opt.address, backward)) return;
  throw new Error(`${where}(opt_ctx): its scheduler was reset or given another graph since it allocated its own: make a new optimizer`);
}

/**
 * Sees to the memory of what an optimizer is about to allocate, where it has some already. C takes that for memory of its own, and an allocator uses its
 * memory for several tensors of a graph that only goes forward, and gives it back when it needs more.
 *
 * What the optimizer's own scheduler gave is taken back, as before any other graph. What other allocators gave is hidden from C, which makes copies of
 * the tensors; those that it is given for one step it takes as they are.
 */
function leavePlaces(where: string, owner: Owner, scheduler: bigint | undefined, outputs: bigint, graph: Graph | null): void {
  const found = scheduler === undefined ? undefined : ownerAt("ggml_backend_sched", scheduler);
  const home = found === undefined ? null : { owner: found };
  const elsewhere = placedElsewhere(owner, home, () => behind(outputs));
  if (graph !== null && elsewhere.length > 0) {
    const text = nodeText(library(), elsewhere[0]);
    throw new Error(`${where}(opt_ctx): expected a graph without memory, got one whose ${text} has memory of another allocator`);
  }
  preparing.leave(() => {
    if (home !== null) willPlace(null, home, null);
    const show = hide(elsewhere);
    return () => {
      show();
      if (home !== null && graph !== null && !graph.owner.freed) places(graph, home);
    };
  });
}

/** {@linkcode leavePlaces} for an optimizer that somebody has. */
function leavePlacesOf(where: string, lib: Lib, opt: Optimizer): void {
  const outputs = lib.ggml_opt_outputs(opt)?.address ?? 0n, graph = lib.ggml_opt_static_graphs(opt) ? null : graphs.get(opt.owner)?.graph;
  leavePlaces(where, opt.owner, schedulerOf(opt.address), outputs, graph ?? null);
}

/** Objects that C works with until the function returns: its callbacks may not free them, nor have it begin again. */
function begin(name: string, ...objects: readonly (Handle | null)[]): void {
  const those = objects.filter((object) => object !== null);
  for (const object of those) expectIdle(name, object);
  willUse(name, null, those, anyCallback);
}

/** Checks of functions of ggml-opt.h. */
export const optimizers = {
  /** C computes all that the outputs are computed from. */
  ggml_opt_init(lib: Lib, { outputs }: generated.ggml_opt_params): void {
    if (outputs !== null) expectResultComputable("ggml_opt_init", lib, outputs);
  },
  /** C goes on to compute the graph that was allocated, which may be gone by then. */
  ggml_opt_prepare_alloc(lib: Lib, opt: Optimizer, _ctx: unknown, gf: Graph, _inputs: unknown, outputs: Tensor): void {
    if (isReady(opt.address)) {
      throw new Error("ggml_opt_prepare_alloc(opt_ctx): a graph is allocated already: call ggml_opt_eval first");
    }
    expectResultComputable("ggml_opt_prepare_alloc", lib, outputs);
    graphs.set(opt.owner, { graph: gf, nodes: graphs.get(opt.owner)?.nodes ?? null });
  },
  ggml_opt_alloc(lib: Lib, opt: Optimizer, backward: boolean): void {
    expectHeld("ggml_opt_alloc", lib, opt, backward);
    expectAsManyNodes(lib, opt);
    leavePlacesOf("ggml_opt_alloc", lib, opt);
  },
  /** C computes whatever the scheduler has. */
  ggml_opt_eval(lib: Lib, opt: Optimizer, result: Handle | null): void {
    if (hasLostReady(opt.address)) {
      throw new Error("ggml_opt_eval(opt_ctx): its scheduler was reset or given another graph since ggml_opt_alloc: make a new optimizer");
    }
    training.leave({ where: "ggml_opt_eval", lib, owner: opt.owner });
    begin("ggml_opt_eval", opt, result);
  },
  ggml_opt_epoch(lib: Lib, opt: Optimizer, dataset: Dataset, train: Handle | null, test: Handle | null, idata_split: Int): void {
    expectMemory("ggml_opt_epoch", lib, dataset);
    expectHeld("ggml_opt_epoch", lib, opt, idata_split !== 0 && idata_split !== 0n);
    training.leave({ where: "ggml_opt_epoch", lib, owner: opt.owner });
    leavePlacesOf("ggml_opt_epoch", lib, opt);
    begin("ggml_opt_epoch", opt, dataset, train, test);
  },
  /** C makes an optimizer before it looks at the inputs, and nobody else has its address. */
  ggml_opt_fit(lib: Lib, sched: Scheduler, ctx: Handle, inputs: Tensor, outputs: Tensor, dataset: Dataset): void {
    expectMemory("ggml_opt_fit", lib, dataset);
    expectInput("ggml_opt_fit", inputs);
    expectResultComputable("ggml_opt_fit", lib, outputs);
    training.leave({ where: "ggml_opt_fit", lib, owner: sched.owner });
    leavePlaces("ggml_opt_fit", outputs.owner, sched.address, outputs.address, null);
    begin("ggml_opt_fit", sched, ctx, dataset);
  },
};
