/**
 * What the CPU's kernels neither check nor survive: reads and writes out of bounds, loops that never end, and failures of one thread alone while
 * others wait for it inside the kernel.
 *
 * What a kernel asserts by itself isn't here: the trap makes an Error of it. Each entry says what C would do. They were found by `deno task
 * fuzz:compute`, `fuzz:kernels` and `asan`, which see to it that none is missing.
 *
 * @module
 */

import type { lib as generated } from "../lib.js";
import type { Node } from "./node.ts";
import { traitsOf, typeName } from "./types.ts";

/** The generated functions and enums, passed in: bindings of other headers number them in their own way. */
export type Lib = typeof generated;

/** Why a node can't be computed; null if it can. */
type Check = (node: Node) => string | null;

/** What is looked at. */
export interface Kernels {
  /** The operations that compute nothing. */
  readonly empty: ReadonlySet<number>;
  /** The operations that are given indices. */
  readonly picks: ReadonlySet<number>;
  readonly table: ReadonlyMap<number, Check>;
}

const known = new WeakMap<Lib, Kernels>();

/** What is looked at with one set of bindings. */
export function kernelsOf(lib: Lib): Kernels {
  let kernels = known.get(lib);
  if (kernels === undefined) known.set(lib, kernels = makeKernels(lib));
  return kernels;
}

function makeKernels(lib: Lib): Kernels {
  const isFloat = (type: number) => type === lib.GGML_TYPE_F32 || type === lib.GGML_TYPE_F16;
  /** Some kernels read and write floats whatever the type. */
  const allFloats = (node: Node) => {
    const other = node.sources.find(({ type }) => type !== lib.GGML_TYPE_F32);
    return other === undefined ? null : `a source is ${typeName(other.type)}, and the kernel reads f32`;
  };
  const dot = (node: Node) => traitsOf(node.src(0)!.type).dot ? null : `ggml can't multiply rows of ${typeName(node.src(0)!.type)}`;
  return {
    empty: new Set([lib.GGML_OP_NONE, lib.GGML_OP_RESHAPE, lib.GGML_OP_VIEW, lib.GGML_OP_PERMUTE, lib.GGML_OP_TRANSPOSE]),
    picks: new Set([lib.GGML_OP_GET_ROWS_BACK, lib.GGML_OP_MUL_MAT_ID]),
    table: new Map<number, Check>([
      // Calls the null pointer that stands for the routine.
      [lib.GGML_OP_MUL_MAT, dot],
      [lib.GGML_OP_MUL_MAT_ID, dot],
      // Reads floats past the end of what is shorter.
      [lib.GGML_OP_OPT_STEP_ADAMW, allFloats],
      [lib.GGML_OP_OPT_STEP_SGD, allFloats],
      // The last row's start is checked, not its end: writes past the result.
      [lib.GGML_OP_SET, inside],
      [lib.GGML_OP_ACC, inside],
      // Its loops never end with a stride below 1.
      [lib.GGML_OP_IM2COL_BACK, imageToColumns],
      // Reads what lies between the matrices as if nothing did, and past the end.
      [lib.GGML_OP_CLAMP, (node) => hasEvenRows(node) && hasEvenRows(node.src(0)!) ? null : "its matrices must lie one after the other"],
      [lib.GGML_OP_CONV_2D_DW, (node) => {
        if (!isFloat(node.src(0)!.type) || node.src(1)!.type !== lib.GGML_TYPE_F32) return "the kernel must be f32 or f16, the data f32";
        return null;
      }],
    ]),
  };
}

/** What is set, or accumulated, must lie in the result: a row that reaches over its end is written all the same. */
function inside(node: Node): string | null {
  const [nb1, nb2, nb3, offset] = node.parameters, size = traitsOf(node.src(0)!.type).size;
  if (Math.min(nb1, nb2, nb3, offset) < 0) return "a stride or the offset is negative, as an int32_t";
  const strides = [size, nb1, nb2, nb3];
  const end = node.src(1)!.ne.reduce((sum, count, i) => sum + (count - 1) * strides[i], offset + size);
  const bytes = traitsOf(node.type).size * node.elements;
  return end <= bytes ? null : `src[1] would end at byte ${end} of ${bytes}`;
}

function imageToColumns(node: Node): string | null {
  const [s0, s1, , , , , is2D] = node.parameters, { ne } = node;
  if (s0 <= 0 || (s1 <= 0 && is2D === 1)) return `a stride is ${Math.min(s0, s1)}`;
  const [images, channels] = is2D === 1 ? [ne[3], ne[2]] : [ne[2], ne[1]];
  const [KW, KH] = node.src(1)!.ne, [, OW, OH] = node.src(0)!.ne;
  const needed = images * channels * KW * OW * (is2D === 1 ? KH * OH : 1);
  const given = node.src(0)!.elements;
  return needed <= given ? null : `its shape needs ${needed} gradients, and src[0] has ${given}`;
}

/** True if the n-th of all rows starts at n strides. */
function hasEvenRows({ ne, nb }: Node): boolean {
  return (ne[2] === 1 || nb[2] === nb[1] * ne[1]) && (ne[3] === 1 || nb[3] === nb[1] * ne[1] * ne[2]);
}
