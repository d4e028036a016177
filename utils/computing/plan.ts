/**
 * The plans that the CPU computes graphs by.
 *
 * C makes one for each computation, which takes as long as a few hundred small nodes do. Nothing in it changes while the graph doesn't.
 *
 * @module
 */

import { keptInside } from "../../ffi/core/transferred.ts";
import { lib } from "../../ffi/generated/lib.js";
import type { Work } from "./work.ts";

/** The bytes of working memory up to which a plan is kept: where there are more, planning is no part of the time that computing takes. */
const MOST_KEPT = 1 << 14;

/** By what was found out about a graph, which is another object when the graph has changed. */
const plans = new WeakMap<Work, { readonly threads: number; readonly plan: lib.ggml_cplan }>();

/** The plan of a graph. */
export function planOf(graph: lib.ggml_cgraph, work: Work, threads: number): lib.ggml_cplan {
  const kept = plans.get(work);
  if (kept?.threads === threads) return kept.plan;
  const plan = makePlan(graph, threads);
  if (plan.work_size <= MOST_KEPT) plans.set(work, { threads, plan });
  return plan;
}

/** A copy of C's plan, of which the graph doesn't know. */
function makePlan(graph: lib.ggml_cgraph, threads: number): lib.ggml_cplan {
  const made = lib.ggml_graph_plan(graph, threads, null), plan = new lib.ggml_cplan(made.bytes.slice());
  made.owner.end("copied", () => {}); // or the graph would know of each until the event loop turns
  if (plan.work_size > 0) plan.work_data = keptInside(new Uint8Array(plan.work_size)) as never;
  return plan;
}
