/**
 * What each of the backends' graph plans was made of. A plan says nothing of itself: it is a pointer.
 *
 * @module
 */

import { after } from "../core/after.ts";
import { addressOf } from "../core/handle.ts";
import { nodesOf } from "./graph_nodes.ts";
import type { Wrappers } from "./watch.ts";

/** A plan's graph, and its nodes as they were: C made room for working on those. */
export interface Planned {
  readonly graph: bigint;
  readonly nodes: BigUint64Array;
}

const plans: Map<bigint, Planned> = new Map();

/** What the plan at an address was made of; undefined for what is no plan. */
export function plannedAt(plan: bigint): Planned | undefined {
  return plans.get(plan);
}

/** What is put around the functions that make and free one. */
export const wrappers: Wrappers = {
  ggml_backend_graph_plan_create: (symbol) => (backend, graph) => {
    const nodes = nodesOf(graph).slice();
    return after(symbol(backend, graph), (plan: bigint) => {
      if (plan !== 0n) plans.set(plan, { graph, nodes });
      return plan;
    });
  },
  ggml_backend_graph_plan_free: (symbol) => (backend, plan: ArrayBuffer) => {
    plans.delete(addressOf(plan));
    return symbol(backend, plan);
  },
};
