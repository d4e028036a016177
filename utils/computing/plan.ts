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

/** The plan of a graph, on so many threads. */
export function keptPlan(graph: lib.ggml_cgraph, work: Work, threads: number): lib.ggml_cplan {
  const kept = plans.get(work);
  if (kept?.threads === threads) return kept.plan;
  const plan = makePlan(graph, noPool(threads));
  if (plan.work_size <= MOST_KEPT) plans.set(work, { threads, plan });
  return plan;
}

/**
 * A plan of a graph: a copy of C's, of which the graph doesn't know.
 *
 * @param allocate Makes its memory, and that which C works in.
 */
export function makePlan(
  graph: lib.ggml_cgraph,
  { threads, pool }: Pool,
  allocate: (byteLength: number) => Uint8Array<ArrayBuffer> = ours,
): lib.ggml_cplan {
  const made = lib.ggml_graph_plan(graph, threads, pool), bytes = allocate(made.bytes.length);
  bytes.set(made.bytes);
  made.owner.end("copied", () => {}); // or the graph would know of each until the event loop turns
  const plan = new lib.ggml_cplan(bytes);
  if (pool !== null) plan.owner.keep(pool.owner);
  if (plan.work_size > 0) plan.work_data = allocate(plan.work_size) as never;
  return plan;
}

function ours(byteLength: number): Uint8Array<ArrayBuffer> {
  return keptInside(new Uint8Array(byteLength));
}

/** Threads that several computations use, one after the other: to start them for each would take longer than most nodes. */
export interface Pool {
  readonly threads: number;
  /** Null for the caller's thread alone. */
  readonly pool: lib.ggml_threadpool | null;
  readonly free: () => void;
}

/** The caller's thread, or so many that are started for each computation. */
export function noPool(threads: number): Pool {
  return { threads, pool: null, free: () => {} };
}

/** Starts threads. */
export function poolOf(threads: number): Pool {
  lib.ggml_cpu_init(); // or the first node would be said to have taken the milliseconds that it takes
  if (threads === 1) return noPool(1);
  const pool = lib.ggml_threadpool_new(lib.ggml_threadpool_params_default(threads));
  return { threads, pool, free: () => lib.ggml_threadpool_free(pool) };
}
