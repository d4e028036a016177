/**
 * Indices: which rows an operation takes, where its kernel doesn't look whether there are such rows.
 *
 * Those that lie in memory before the graph is computed are looked at each time. So are those that the graph computes itself, unless they are sure
 * to be in range: then it is computed up to there first (`slices.ts`).
 *
 * @module
 */

import { library } from "../../load/library.ts";
import { nodeText } from "../../load/tensor_text.ts";
import type { Lib } from "./kernels.ts";
import { mostAsked } from "./laid_out.ts";
import type { Node } from "./node.ts";
import { numbersOf } from "./say.ts";

/** Rows, and the tensor that says which. */
export interface Index {
  /** The number of the node that takes them, and itself. */
  readonly node: number;
  readonly taker: Node;
  readonly indices: Node;
  readonly rows: number;
  readonly from: Node;
  /** True where C reads the indices one after the other, whatever their strides. */
  readonly contiguous: boolean;
  /** How often each row may be taken. */
  readonly most: number;
}

/** Where an operation has its indices. */
interface Picking {
  readonly source: number;
  readonly from: (node: Node) => Node;
  readonly dimension: number;
  readonly contiguous: boolean;
}

const known = new WeakMap<Lib, ReadonlyMap<number, Picking>>();

/** The operations whose kernels take indices without a look. */
export function picksOf(lib: Lib): ReadonlyMap<number, Picking> {
  let picks = known.get(lib);
  if (picks === undefined) {
    picks = new Map<number, Picking>([
      // Adds to any row: writes outside of the result.
      [lib.GGML_OP_GET_ROWS_BACK, { source: 1, from: (node) => node, dimension: 1, contiguous: true }],
      // One thread counts how often each matrix is asked for: writes outside of the counts.
      [lib.GGML_OP_MUL_MAT_ID, { source: 2, from: (node) => node.src(0)!, dimension: 2, contiguous: false }],
      // Reads any state.
      [lib.GGML_OP_SSM_SCAN, { source: 6, from: (node) => node.src(0)!, dimension: 3, contiguous: true }],
    ]);
    known.set(lib, picks);
  }
  return picks;
}

/** The indices of a graph that are to be looked at: before it is computed, and before the node that takes them. */
export interface Indices {
  readonly now: readonly Index[];
  readonly late: readonly Index[];
}

/**
 * Finds the indices of a graph's nodes.
 *
 * @param nodes The nodes in their order; null for those that compute nothing.
 * @param begin The first that is asked about.
 */
export function indicesOf(lib: Lib, nodes: readonly (Node | null)[], begin = 0): Indices {
  const picks = picksOf(lib), now: Index[] = [], late: Index[] = [];
  for (let i = begin; i < nodes.length; i++) {
    const node = nodes[i], pick = node === null ? undefined : picks.get(node.op);
    if (pick === undefined) continue;
    const from = pick.from(node!), rows = from.ne[pick.dimension], operand = node!.src(pick.source)!;
    const contiguous = (indices: Node) => pick.contiguous && indices === operand;
    const most = node!.op === lib.GGML_OP_MUL_MAT_ID ? mostAsked(node!) : Infinity;
    const index = (indices: Node): Index => ({ node: i, taker: node!, indices, rows, from, contiguous: contiguous(indices), most });
    const holders = holdersOf(lib, nodes, i, operand, rows);
    if (holders === null) late.push(index(operand));
    else for (const holder of holders) now.push(index(holder));
  }
  return { now, late };
}

/**
 * The tensors that hold a node's indices before the graph is computed; none where it computes them and they are surely in range, null where
 * they may be anything.
 *
 * @param end The number of the node that reads `operand`.
 */
function holdersOf(lib: Lib, nodes: readonly (Node | null)[], end: number, operand: Node, rows: number): readonly Node[] | null {
  const writer = lastWriter(lib, nodes, end, operand);
  if (writer < 0) return [operand];
  const { op, address, type } = nodes[writer]!, first = nodes[writer]!.src(0);
  if (address !== operand.address && address !== operand.view?.address) return null; // it is written to in place
  switch (op) {
    case lib.GGML_OP_ARGMAX:
    case lib.GGML_OP_ARGSORT:
    case numbersOf(lib).GGML_OP_TOP_K:
      return first!.ne[0] <= rows ? [] : null;
    case lib.GGML_OP_CONT:
    case lib.GGML_OP_CPY:
    case lib.GGML_OP_DUP:
      return first!.type === type ? holdersOf(lib, nodes, writer, first!, rows) : null;
    default:
      return null;
  }
}

/** The last node before another that writes to a tensor's memory; -1 for none. */
function lastWriter(lib: Lib, nodes: readonly (Node | null)[], end: number, operand: Node): number {
  const begin = operand.data, length = operand.bytes;
  for (let i = end - 1; i >= 0; i--) {
    const node = nodes[i];
    if (node === null) continue;
    const { data } = node;
    if ((data < begin + length && begin < data + node.bytes) || writesElsewhere(lib, node.op)) return i;
  }
  return -1;
}

/** Operators do what they please, and an optimizer's step writes to its sources. */
function writesElsewhere(lib: Lib, op: number): boolean {
  return op === lib.GGML_OP_MAP_CUSTOM1 || op === lib.GGML_OP_MAP_CUSTOM2 || op === lib.GGML_OP_MAP_CUSTOM3 || op === lib.GGML_OP_CUSTOM ||
    op === lib.GGML_OP_OPT_STEP_ADAMW || op === lib.GGML_OP_OPT_STEP_SGD;
}

let isHost: ((buffer: bigint) => boolean) | null = null;

/** Throws where an index is out of range. What is in no memory yet, or in a device's, is C's to look at. */
export function checkIndices(where: string, { node, taker, indices, rows, from, contiguous, most }: Index): void {
  const { ne, nb, data, buffer, elements } = indices;
  if (data === 0 || elements === 0) return;
  isHost ??= library().symbol("ggml_backend_buffer_is_host", { parameters: ["u64"], result: "bool" }) as (buffer: bigint) => boolean;
  if (buffer !== 0 && !isHost(BigInt(buffer))) return;
  const length = contiguous ? 4 * elements : indices.bytes;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(BigInt(data))!, length));
  const strides = contiguous ? [4, 4 * ne[0], 4 * ne[0] * ne[1], 4 * ne[0] * ne[1] * ne[2]] : nb;
  const taken = most === Infinity ? null : new Uint32Array(rows);
  for (let i3 = 0; i3 < ne[3]; i3++) {
    for (let i2 = 0; i2 < ne[2]; i2++) {
      for (let i1 = 0; i1 < ne[1]; i1++) {
        const row = i1 * strides[1] + i2 * strides[2] + i3 * strides[3];
        for (let i0 = 0; i0 < ne[0]; i0++) {
          const index = view.getInt32(row + i0 * strides[0], true);
          if (index >= 0 && index < rows) {
            if (taken === null || ++taken[index] <= most) continue;
            throw new RangeError(
              `${where}: node ${node} (${text(taker)}): ${
                text(indices)
              } has index ${index} more than ${most} times: C has room for a row of each ` +
                `token where ${text(from)} was laid out anew`,
            );
          }
          throw new RangeError(
            `${where}: node ${node} (${text(taker)}): index ${index} at [${i0}, ${i1}, ${i2}, ${i3}] of ${
              text(indices)
            } is out of range: ` +
              `${text(from)} has ${rows} of them`,
          );
        }
      }
    }
  }
}

function text({ address }: Node): string {
  return nodeText(library(), address);
}
