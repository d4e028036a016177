/**
 * What C is told by fields: how often they were set, and which tensors' were.
 *
 * What was found out about a graph holds for as long as nothing changes. And what a builder asserted of a tensor, and C takes for granted from then
 * on, holds no more once somebody sets its fields by hand: what they were before is remembered.
 *
 * @module
 */

import { type Handle, memory } from "../core/handle.ts";
import { provide } from "../core/host.ts";
import { graphsInUse } from "../core/in_use.ts";
import { ownersOfType } from "../core/known.ts";
import { ABI } from "../generated/layouts.js";
import { callNow } from "./call_now.ts";
import type { Owner } from "../core/owner.ts";
import { sourcesAt } from "../load/tensor_text.ts";
import { nodesOf } from "./graph_nodes.ts";

/** Counts what changes tensors that exist. */
export const changes: {
  /** Fields that were set, memory that an allocator gave or took. */
  count: number;
  /** True once a tensor's field was set. */
  byHand: boolean;
  /** True once an array of a tensor's was given away that writes into it: what comes after nobody sees. */
  exposed: boolean;
} = { count: 0, byHand: false, exposed: false };

/** A tensor as it was before a field was set. */
export interface Original {
  readonly words: Uint32Array;
  /** How far each context was filled when a field was set last: what lies beyond was made of the tensor as it is now. */
  filled: WeakMap<Owner, number>;
}

/** The tensors that were changed, by their owner and address. */
const originals = new WeakMap<Owner, Map<number, Original>>();

const { size: TENSOR_SIZE } = ABI.records.ggml_tensor;

/**
 * Notes a change: of a struct's field, before it is set, or of something else.
 *
 * @throws {Error} If the struct is a tensor of a graph that is being computed: the graph was looked at before.
 */
export function changed(struct: Handle | null = null): void {
  if (struct !== null && isTensor(struct)) {
    for (const [graph, by] of graphsInUse()) {
      if (!isIn(graph, struct.address)) continue;
      throw new Error(`ggml_tensor: this ggml_tensor can't be changed now: its graph is being computed by ${by}`);
    }
    remember(struct);
  }
  changes.count++;
}

/** True for a graph's nodes and what they are computed from. */
function isIn(graph: bigint, tensor: bigint): boolean {
  return nodesOf(graph).some((node) => node === tensor || sourcesAt(node).includes(tensor));
}

function isTensor({ constructor }: Handle): boolean {
  return constructor.name === "ggml_tensor";
}

/** Notes that somebody can write to a struct's memory from now on. */
export function exposed(struct: Handle): void {
  if (!isTensor(struct)) return;
  changes.exposed = true;
  remember(struct);
}

function remember(tensor: Handle): void {
  changes.byHand = true;
  const view = memory(tensor), { owner, $offset } = tensor, key = Number(tensor.address); // memory says where it begins, too
  let tensors = originals.get(owner);
  if (tensors === undefined) originals.set(owner, tensors = new Map());
  let original = tensors.get(key);
  if (original === undefined) {
    const bytes = new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + $offset, TENSOR_SIZE).slice();
    tensors.set(key, original = { words: new Uint32Array(bytes.buffer), filled: new WeakMap() });
  }
  original.filled = new WeakMap(ownersOfType("ggml_context").map((context) => [context, usedOf(context.address)]));
}

/** A tensor as it was before a field was set; null where none was. */
export function originalOf(owner: Owner, address: number): Original | null {
  return originals.get(owner)?.get(address) ?? null;
}

function usedOf(context: bigint): number {
  return Number(callNow("ggml_used_mem", ["u64"], "usize", context));
}

provide({ exposed, isCopied: isTensor }); // C copies a tensor's addresses to its views, and to graphs
