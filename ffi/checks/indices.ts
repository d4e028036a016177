/**
 * Indices: which rows an operation takes, where its kernel doesn't look whether there are such rows, or one thread alone does.
 *
 * Those that lie in memory before the graph is computed are looked at each time. Those that it computes itself are looked at by C: such a graph
 * is computed by one thread (`threads.ts`), which fails alone and leaves nobody waiting.
 *
 * @module
 */

import { library } from "../library.ts";
import { nodeText } from "../tensor_text.ts";
import type { Lib } from "./kernels.ts";
import type { Node } from "./node.ts";

/** Rows, and the tensor that says which. */
export interface Index {
  readonly node: number;
  readonly indices: Node;
  readonly rows: number;
  readonly from: Node;
}

/** The rows that a node picks. None where what picks them is computed. */
export function indicesOf(where: string, lib: Lib, node: Node, number: number): Index[] {
  const of = (indices: Node | null, from: Node | null, dimension: number): Index[] =>
    indices === null || from === null ? [] : indexIn(where, lib, number, indices, from, dimension);
  switch (node.op) {
    case lib.GGML_OP_GET_ROWS:
      return of(node.src(1), node.src(0), 1);
    case lib.GGML_OP_SET_ROWS:
    case lib.GGML_OP_GET_ROWS_BACK:
      return of(node.src(1), node, 1);
    case lib.GGML_OP_SSM_SCAN:
      return of(node.src(6), node.src(0), 3);
    case lib.GGML_OP_ADD_ID:
      return of(node.src(2), node.src(1), 1);
    case lib.GGML_OP_MUL_MAT_ID:
      return of(node.src(2), node.src(0), 2);
    default:
      return [];
  }
}

function indexIn(where: string, lib: Lib, node: number, operand: Node, from: Node, dimension: number): Index[] {
  const indices = holderOf(lib, operand), rows = from.ne[dimension];
  if (indices !== null) return [{ node, indices, rows, from }];
  const highest = highestSorted(lib, operand);
  if (highest === null || highest < rows) return [];
  throw new RangeError(`${where}: node ${node}: ${text(operand)} counts up to ${highest}, and ${text(from)} has ${rows} of them`);
}

function text({ address }: Node): string {
  return nodeText(library(), address);
}

/** The highest index that is surely among those that `ggml_argsort` gives: the last, if it isn't asked for fewer; null for what isn't sorted. */
function highestSorted(lib: Lib, node: Node): number | null {
  const { op, ne } = node;
  if (op === lib.GGML_OP_ARGSORT) return ne[0] - 1;
  if (op !== lib.GGML_OP_RESHAPE && op !== lib.GGML_OP_PERMUTE && op !== lib.GGML_OP_TRANSPOSE && op !== lib.GGML_OP_CONT) return null;
  return highestSorted(lib, (node.view ?? node.src(0))!);
}

/** The tensor that holds an operand's numbers before anything is computed; null where they are computed first. Copies are looked through. */
function holderOf(lib: Lib, operand: Node): Node | null {
  const { op, view, type } = operand, first = operand.src(0);
  switch (op) {
    case lib.GGML_OP_NONE:
      return view === null || view.op === lib.GGML_OP_NONE ? operand : null;
    case lib.GGML_OP_RESHAPE:
    case lib.GGML_OP_VIEW:
    case lib.GGML_OP_PERMUTE:
    case lib.GGML_OP_TRANSPOSE:
      return view !== null && view.op === lib.GGML_OP_NONE ? operand : null;
    case lib.GGML_OP_DUP:
    case lib.GGML_OP_CONT:
    case lib.GGML_OP_CPY:
      return first !== null && first.type === type ? holderOf(lib, first) : null;
    default:
      return null;
  }
}

let isHost: ((buffer: bigint) => boolean) | null = null;

/** Throws where an index is out of range. What isn't in memory yet, or in a device's, is C's to look at. */
export function checkIndices(where: string, { node, indices, rows, from }: Index): void {
  const { ne, nb, data, buffer } = indices;
  if (data === 0) return;
  isHost ??= library().symbol("ggml_backend_buffer_is_host", { parameters: ["u64"], result: "bool" }) as (buffer: bigint) => boolean;
  if (buffer !== 0 && !isHost(BigInt(buffer))) return;
  const length = nb[0] + (ne[0] - 1) * nb[0] + (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
  if (!(length > 0)) return;
  const view = new DataView(Deno.UnsafePointerView.getArrayBuffer(Deno.UnsafePointer.create(BigInt(data))!, length));
  const isWide = nb[0] === 8;
  for (let i3 = 0; i3 < ne[3]; i3++) {
    for (let i2 = 0; i2 < ne[2]; i2++) {
      for (let i1 = 0; i1 < ne[1]; i1++) {
        const row = i1 * nb[1] + i2 * nb[2] + i3 * nb[3];
        for (let i0 = 0; i0 < ne[0]; i0++) {
          const at = row + i0 * nb[0];
          const index = isWide ? Number(view.getBigInt64(at, true)) : view.getInt32(at, true);
          if (index >= 0 && index < rows) continue;
          throw new RangeError(
            `${where}: node ${node}: index ${index} at [${i0}, ${i1}, ${i2}, ${i3}] of ${text(indices)} is out of range: ` +
              `${text(from)} has ${rows} of them`,
          );
        }
      }
    }
  }
}
