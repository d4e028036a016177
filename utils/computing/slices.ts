/**
 * Slices: a graph cut into smaller ones, computed one after the other, so that there is something to report, or a place to stop, in between.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import { contextOf } from "./context.ts";
import type { Work } from "./work.ts";

/** How many slices there are at most, about. */
const SLICES = 100;

/** The least work of a slice that is worth its call, about 50 µs, in nanoseconds. */
const LEAST = 500_000;

/** Bytes that a graph's memory is aligned to, and what ggml keeps before it. */
const PADDING = 128;

/** Some of a graph's nodes. */
export interface Slice {
  readonly graph: lib.ggml_cgraph;
  /** Its first node's number. */
  readonly begin: number;
  /** The number of nodes that are done when this slice is. */
  readonly end: number;
}

/** A graph in slices. */
export interface Cut {
  readonly slices: readonly Slice[];
  /** The context that holds the slices. */
  readonly context: lib.ggml_context;
}

/** The work after which to stop for a look. */
export function sliceCost({ total }: Work): number {
  return Math.max(total / SLICES, LEAST);
}

/**
 * Cuts a graph where a slice has enough work, and before some nodes. A large node is a slice of its own.
 */
export function cut(graph: lib.ggml_cgraph, work: Work, stops: readonly number[] = []): Cut {
  return cutAt(graph, withStops(cuts(work), stops));
}

/** Cuts a graph before some nodes only. */
export function cutBefore(graph: lib.ggml_cgraph, { nodes }: Work, stops: readonly number[]): Cut {
  return cutAt(graph, withStops([nodes.length], stops));
}

function withStops(ends: readonly number[], stops: readonly number[]): number[] {
  return [...new Set([...ends, ...stops.filter((stop) => stop > 0)])].sort((a, b) => a - b);
}

/** Cuts a graph into its nodes. */
export function cutNodes(graph: lib.ggml_cgraph, { nodes }: Work): Cut {
  return cutAt(graph, Array.from(nodes, (_, i) => i + 1));
}

function cutAt(graph: lib.ggml_cgraph, ends: readonly number[]): Cut {
  const sizes = ends.map((end, i) => end - (ends[i - 1] ?? 0));
  const memSize = sizes.reduce((sum, size) => sum + lib.ggml_graph_overhead_custom(size, false) + PADDING, PADDING);
  const context = contextOf(memSize);
  const slices = ends.map((end, i): Slice => {
    const slice = lib.ggml_new_graph_custom(context, sizes[i], false);
    for (let node = end - sizes[i]; node < end; node++) lib.ggml_graph_add_node(slice, lib.ggml_graph_node(graph, node));
    return { graph: slice, begin: end - sizes[i], end };
  });
  return { slices, context };
}

function cuts(work: Work): number[] {
  const most = sliceCost(work), ends: number[] = [];
  let cost = 0;
  work.costs.forEach((nodeCost, i) => {
    cost += nodeCost;
    if (cost < most && i + 1 < work.costs.length) return;
    ends.push(i + 1);
    cost = 0;
  });
  return ends;
}
