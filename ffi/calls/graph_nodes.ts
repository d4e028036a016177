/**
 * The nodes of a graph, by their addresses.
 *
 * @module
 */

import { sourcesAt } from "../load/tensor_text.ts";
import { callNow } from "./call_now.ts";

/** A tensor and all that it is computed from; nothing for 0. */
export function behind(tensor: bigint): Set<bigint> {
  const seen = new Set(tensor === 0n ? [] : [tensor]);
  for (const each of seen) for (const source of sourcesAt(each)) seen.add(source); // a Set gives what is added meanwhile, too
  return seen;
}

/** True if two graphs have the same nodes. */
export function sameNodes(a: BigUint64Array, b: BigUint64Array): boolean {
  if (a.length !== b.length) return false;
  const x = new Uint32Array(a.buffer, a.byteOffset, 2 * a.length), y = new Uint32Array(b.buffer, b.byteOffset, 2 * b.length);
  for (let i = 0; i < x.length; i++) if (x[i] !== y[i]) return false;
  return true;
}

/** The list that was read last: who computes a graph again and again reads the same one, and to make an array of C's memory takes longer than that. */
let last = new BigUint64Array(0), lastAt = 0n;

/** The addresses of a graph's nodes, in C's own list: whoever keeps them makes a copy. */
export function nodesOf(graph: bigint): BigUint64Array {
  const n = callNow("ggml_graph_n_nodes", ["u64"], "i32", graph) as number;
  const at = callNow("ggml_graph_nodes", ["u64"], "u64", graph) as bigint;
  if (n === 0) return new BigUint64Array(0);
  if (at !== lastAt || n !== last.length) {
    last = new BigUint64Array(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(at)!, 8 * n));
    lastAt = at;
  }
  return last;
}
