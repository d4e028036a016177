/**
 * Checks of optimizers whose graphs the caller builds anew for each step.
 *
 * @module
 */

import type { lib as generated } from "../lib.js";
import type { Owner } from "../owner.ts";
import type { Lib } from "./say.ts";

type Optimizer = generated.ggml_opt_context;
type Graph = generated.ggml_cgraph;

/** The graph that an optimizer was given last, and how many nodes the first had that it allocated. */
const graphs = new WeakMap<Owner, { graph: Graph; nodes: number | null }>();

/** Of ggml-opt.h. */
export const optimizers = {
  ggml_opt_prepare_alloc(_lib: Lib, opt_ctx: Optimizer, _ctx_compute: unknown, gf: Graph): void {
    graphs.set(opt_ctx.owner, { graph: gf, nodes: graphs.get(opt_ctx.owner)?.nodes ?? null });
  },
  /** Keeps a gradient for each node of the first graph, and looks for one of each node of this. */
  ggml_opt_alloc(lib: Lib, opt_ctx: Optimizer): void {
    const known = graphs.get(opt_ctx.owner);
    if (known === undefined || known.graph.owner.freed) return;
    const nodes = lib.ggml_graph_n_nodes(known.graph);
    known.nodes ??= nodes;
    if (nodes <= known.nodes) return;
    throw new RangeError(`ggml_opt_alloc(opt_ctx): expected a graph of at most ${known.nodes} nodes, as the first had, got ${nodes}`);
  },
};
