/**
 * How long a graph takes, about: enough to decide between one thread and several, and where to cut it.
 *
 * @module
 */

import type { Good } from "../../ffi/calls/checks/graph.ts";
import { sourceAt, TensorMemory, WORD } from "../../ffi/calls/tensor_memory.ts";
import { ABI } from "../../ffi/generated/layouts.js";
import { lib } from "../../ffi/generated/lib.js";
import { operation } from "../../ffi/load/numbering.ts";

/** The work of a graph. */
export interface Work {
  /** The addresses of the nodes. */
  readonly nodes: BigUint64Array;
  /** About how long each node takes one thread, in nanoseconds. */
  readonly costs: Float64Array;
  /** The sum of the costs. */
  readonly total: number;
  /** How many nodes there is something to compute for. */
  readonly busy: number;
}

const { ne: NE, op: OP } = ABI.records.ggml_tensor.fields;

/** Operations that compute nothing. */
const EMPTY: ReadonlySet<number> = new Set([
  lib.GGML_OP_NONE,
  lib.GGML_OP_RESHAPE,
  lib.GGML_OP_VIEW,
  lib.GGML_OP_PERMUTE,
  lib.GGML_OP_TRANSPOSE,
]);

/** Operations that take a row of their first source, or a kernel, for each element. */
const PRODUCTS: ReadonlySet<number> = new Set([
  lib.GGML_OP_MUL_MAT,
  lib.GGML_OP_MUL_MAT_ID,
  lib.GGML_OP_OUT_PROD,
  lib.GGML_OP_FLASH_ATTN_EXT,
]);
const CONVOLUTIONS: ReadonlySet<number> = new Set([lib.GGML_OP_CONV_2D, lib.GGML_OP_CONV_3D, lib.GGML_OP_CONV_TRANSPOSE_2D]);

/**
 * Nanoseconds for an element and for a multiplication with its addition. Measured on one core of a 2-core x86-64 machine: additions 0.08,
 * soft_max 1.0, gelu 2.5; products 0.02 (Q8_0) to 0.07 (F32).
 */
const ELEMENT = 1, MULTIPLICATION = 0.05, NODE = 50;

/** The work of graphs that were looked at. */
const known = new WeakMap<Good, Work>();

/** About how long each node of a graph takes. */
export function workOf(graph: lib.ggml_cgraph, good: Good): Work {
  let work = known.get(good);
  if (work === undefined) known.set(good, work = estimate(graph, good.nodes));
  return work;
}

function estimate(graph: lib.ggml_cgraph, nodes: BigUint64Array): Work {
  const memory = new TensorMemory(graph.owner), costs = new Float64Array(nodes.length);
  let total = 0, busy = 0;
  for (let i = 0; i < nodes.length; i++) {
    memory.find(Number(nodes[i]));
    const cost = costAt(memory);
    costs[i] = cost;
    total += cost;
    if (cost > 0) busy++;
  }
  return { nodes, costs, total, busy };
}

/** About how long the tensor that was found last takes, in nanoseconds. */
function costAt(memory: TensorMemory): number {
  const op = operation(memory.words[memory.at + OP / 4]), elements = elementsOf(memory), first = sourceAt(memory.words, memory.at, 0);
  if (EMPTY.has(op) || elements === 0) return 0;
  if (first === 0) return NODE + elements * ELEMENT;
  memory.find(first);
  if (PRODUCTS.has(op)) return NODE + elements * ne(memory, 0) * MULTIPLICATION;
  if (CONVOLUTIONS.has(op)) return NODE + elements * ne(memory, 0) * ne(memory, 1) * ne(memory, 2) * MULTIPLICATION;
  return NODE + Math.max(elements, elementsOf(memory)) * ELEMENT;
}

function ne({ words, at }: TensorMemory, dimension: number): number {
  const i = at + NE / 4 + 2 * dimension;
  return words[i] + words[i + 1] * WORD;
}

function elementsOf(memory: TensorMemory): number {
  return ne(memory, 0) * ne(memory, 1) * ne(memory, 2) * ne(memory, 3);
}
