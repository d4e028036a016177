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

/** The addresses of a graph's nodes. */
export function nodesOf(graph: bigint): BigUint64Array {
  count ??= library().symbol("ggml_graph_n_nodes", { parameters: ["u64"], result: "i32" }) as (graph: bigint) => number;
  first ??= library().symbol("ggml_graph_nodes", { parameters: ["u64"], result: "u64" }) as (graph: bigint) => bigint;
  const n = count(graph);
  if (n === 0) return new BigUint64Array(0);
  return new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(first(graph))!, 8 * n));
}
