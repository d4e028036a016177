/**
 * The nodes of a graph, by their addresses.
 *
 * @module
 */

import { library } from "../load/library.ts";

/** True if two graphs have the same nodes. */
export function sameNodes(a: BigUint64Array, b: BigUint64Array): boolean {
  if (a.length !== b.length) return false;
  const x = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length), y = new Uint32Array(b.buffer, b.byteOffset, 2 * b.length);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

let count: ((graph: bigint) => number) | null = null;
let first: ((graph: bigint) => bigint) | null = null;

/** The list that was read last: who computes a graph again and again reads the same one, and to make an array of C's memory takes longer than that. */
let last = new BigUint64Array(0), lastAt = 0n;

/** The addresses of a graph's nodes, in C's own list: whoever keeps them makes a copy. */
export function nodesOf(graph: bigint): BigUint64Array {
  count ??= library().symbol("ggml_graph_n_nodes", { parameters: ["u64"], result: "i32" }) as (graph: bigint) => number;
  first ??= library().symbol("ggml_graph_nodes", { parameters: ["u64"], result: "u64" }) as (graph: bigint) => bigint;
  const n = count(graph), at = first(graph);
  if (n === 0) return new BigUint64Array(0);
  if (at !== lastAt || n !== last.length) {
    last = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(at)!, 8 * n));
    lastAt = at;
  }
  return last;
}
