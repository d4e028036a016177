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
  const { GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_BF16: BF16, GGML_TYPE_I32: I32 } = lib;
  const isFloat = (type: number) => type === F32 || type === F16;
  const isFloat16 = (type: number) => type === F16 || type === BF16;
  /** The kernel reads floats of 32 bits whatever the type. */
  const allFloats: Check = (node) => {
    const other = node.sources.find(({ type }) => type !== F32);
    return other === undefined ? null : `a source is ${typeName(other.type)}, and the kernel reads f32`;
  };
  const sequences = (state: number, more: Check = pass): Check => (node) => allFloats(node) ?? more(node) ?? sharedTokens(node, state);
  const ropeModes = [
    lib.GGML_ROPE_TYPE_NORMAL,
    lib.GGML_ROPE_TYPE_NEOX,
    lib.GGML_ROPE_TYPE_MROPE,
    lib.GGML_ROPE_TYPE_IMROPE,
    lib.GGML_ROPE_TYPE_VISION,
  ] as number[];
  const rope: Check = ({ parameters: [, dimensions, mode], ne }) => {
    if (dimensions < 2 || dimensions % 2 !== 0) return `n_dims is ${dimensions}, and must be an even number from 2 on`;
    if (ne[0] % 2 !== 0) return `its rows have ${ne[0]} elements, and must have an even number`;
    return ropeModes.includes(mode) ? null : `there is no mode ${mode}`;
  };
  return {
    empty: new Set([lib.GGML_OP_NONE, lib.GGML_OP_RESHAPE, lib.GGML_OP_VIEW, lib.GGML_OP_PERMUTE, lib.GGML_OP_TRANSPOSE]),
    picks: new Set([lib.GGML_OP_GET_ROWS_BACK, lib.GGML_OP_MUL_MAT_ID, lib.GGML_OP_SSM_SCAN, lib.GGML_OP_ADD_ID]),
    table: new Map<number, Check>([
      // Checks where the last row starts, and not where it ends: writes past the result. Set takes another type's bytes for its own.
      [lib.GGML_OP_ACC, inside],
      [lib.GGML_OP_SET, (node) => sameType(node) ?? inside(node)],
      // Reads the number as f32.
      [lib.GGML_OP_ADD1, (node) => isFloat16(node.type) || node.src(1)!.type === F32 ? null : `src[1] must be f32`],
      // Read rows as if their elements lay side by side, and the n-th of all at n strides.
      [lib.GGML_OP_ARGSORT, evenRows],
      [lib.GGML_OP_TOP_K, evenRows],
      [lib.GGML_OP_CLAMP, evenRows],
      [lib.GGML_OP_LEAKY_RELU, evenRows],
      [lib.GGML_OP_POOL_1D, (node) => isFloat(node.src(0)!.type) ? denseRows(node.src(0)!) : "the data must be f32 or f16"],
      [lib.GGML_OP_POOL_2D, (node) => isFloat(node.src(0)!.type) ? denseRows(node.src(0)!) : "the data must be f32 or f16"],
      [lib.GGML_OP_POOL_2D_BACK, (node) => {
        if (node.src(0)!.type !== F32 || !isFloat(node.src(1)!.type)) return "the gradients must be f32, the data f32 or f16";
        return sourcesContiguous(node);
      }],
      // Wraps around once, and reads out of bounds where the pad is longer than that.
      [lib.GGML_OP_PAD, pads],
      // Read elements as if they lay side by side.
      [lib.GGML_OP_SUM, (node) => sideBySide(node.src(0)!)],
      [lib.GGML_OP_MEAN, (node) => sideBySide(node.src(0)!)],
      [lib.GGML_OP_ARGMAX, (node) => sideBySide(node.src(0)!)],
      [lib.GGML_OP_GET_ROWS, (node) => sideBySide(node.src(0)!)],
      [lib.GGML_OP_WIN_PART, (node) => isContiguous(node.src(0)!) ? null : "the data must be contiguous"],
      // Reads rows of an image one after the other.
      [lib.GGML_OP_IM2COL, (node) => planes(node.src(1)!)],
      [lib.GGML_OP_IM2COL_3D, (node) => planes(node.src(1)!)],
      // Read all sources as f32, whatever their types.
      [lib.GGML_OP_CROSS_ENTROPY_LOSS, (node) => allFloats(node) ?? sourcesContiguous(node)],
      [lib.GGML_OP_CROSS_ENTROPY_LOSS_BACK, allFloats],
      [lib.GGML_OP_RMS_NORM_BACK, allFloats],
      [lib.GGML_OP_SSM_CONV, (node) => allFloats(node) ?? rowsDense(node.src(1)!)],
      [lib.GGML_OP_SSM_SCAN, (node) => scan(node, F32)],
      // Reads and writes as many numbers as src[1] has, in its type.
      [lib.GGML_OP_SILU_BACK, silu],
      // Reads rows of 32-bit integers, whatever their strides.
      [
        lib.GGML_OP_COUNT_EQUAL,
        (node) => node.sources.every(({ type, nb }) => type === I32 && nb[0] === 4) ? null : "its rows must be i32",
      ],
      // Casts the kernel's type to the data's, reads past the end of what is smaller, or with other strides than it has.
      [lib.GGML_OP_CONV_2D, (node) => convolution(node, isFloat, F32)],
      [lib.GGML_OP_CONV_3D, (node) => convolution(node, isFloat, F32)],
      [lib.GGML_OP_CONV_2D_DW, (node) => convolution(node, isFloat, F32) ?? imageLayout(node.src(1)!)],
      // One thread copies the sources, with strides as if they were contiguous, and others wait.
      [lib.GGML_OP_CONV_TRANSPOSE_1D, (node) => convolution(node, isFloat, F32)],
      [lib.GGML_OP_CONV_TRANSPOSE_2D, (node) => convolution(node, isFloat, F32)],
      // One thread looks whether they are contiguous, and the others wait for it for ever. In place it takes rows as clamp does.
      [lib.GGML_OP_DIAG_MASK_INF, mask],
      [lib.GGML_OP_DIAG_MASK_ZERO, mask],
      // Divides heads among those of k and v without a look whether it comes out even; reads f32 of q whatever its type.
      [lib.GGML_OP_FLASH_ATTN_EXT, (node) => attention(node, F32)],
      [
        lib.GGML_OP_GATED_DELTA_NET,
        (node) => allFloats(node) ?? shared("v", node.src(2)!, [["q", node.src(0)!], ["k", node.src(1)!]], [3]),
      ],
      [lib.GGML_OP_GATED_LINEAR_ATTN, sequences(4)],
      // Its loops never end with a stride below 1, and read past what it is given.
      [lib.GGML_OP_IM2COL_BACK, imageToColumns],
      // Reads floats past the end of what is shorter.
      [lib.GGML_OP_OPT_STEP_ADAMW, allFloats],
      [lib.GGML_OP_OPT_STEP_SGD, allFloats],
      // Writes pairs past the end of an odd row; loops for ever over none; computes nothing in an unknown mode.
      [lib.GGML_OP_ROPE, rope],
      [lib.GGML_OP_ROPE_BACK, rope],
      [
        lib.GGML_OP_RWKV_WKV6,
        sequences(5, (node) => node.src(3)!.elements < rowOf(node.src(0)!) ? "tf has fewer elements than a token of k" : null),
      ],
      [lib.GGML_OP_RWKV_WKV7, sequences(6, (node) => recurrence(node, lib))],
      // Indexes windows by a width of 0, and reads them as if contiguous.
      [lib.GGML_OP_WIN_UNPART, (node) => {
        if (node.parameters[0] <= 0) return `w is ${node.parameters[0]}`;
        return isContiguous(node.src(0)!) ? null : "the data must be contiguous";
      }],
      [lib.GGML_OP_UNARY, (node) => {
        if (node.parameters[0] !== lib.GGML_UNARY_OP_XIELU) return null;
        const isKnown = isFloat(node.type) || node.type === BF16;
        return isKnown ? evenRows(node) : `there is no xielu of ${typeName(node.type)}`;
      }],
    ]),
  };
}

function pass(): null {
  return null;
}

function sameType(node: Node): string | null {
  const other = node.src(1)!.type;
  return other === node.type ? null : `src[1] must be ${typeName(node.type)}, and is ${typeName(other)}`;
}

/** What is set, or accumulated, must lie in the result: a row that reaches over its end is written all the same. */
function inside(node: Node): string | null {
  const [nb1, nb2, nb3, offset] = node.parameters, { size } = traitsOf(node.src(0)!.type);
  if (Math.min(nb1, nb2, nb3, offset) < 0) return "a stride or the offset is negative, as an int32_t";
  const strides = [size, nb1, nb2, nb3];
  const { ne } = node.src(1)!;
  const end = ne.reduce((sum, count, i) => sum + (count - 1) * strides[i], offset + size);
  const bytes = traitsOf(node.type).size * node.elements;
  for (let i = 1; i < 4; i++) if (ne[i] > 1 && strides[i] < ne[i - 1] * strides[i - 1]) return "what is written would overlap itself";
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

/** A kernel of floats over data of f32, both in the order in which they are read. */
function convolution(node: Node, isFloat: (type: number) => boolean, f32: number): string | null {
  const kernel = node.src(0)!, data = node.src(1)!;
  if (!isFloat(kernel.type) || data.type !== f32) return "the kernel must be f32 or f16, the data f32";
  return isContiguous(kernel) ? null : "the kernel must be contiguous";
}

/** Contiguous, or with a pixel's channels side by side. */
function imageLayout(data: Node): string | null {
  const { nb } = data, { size } = traitsOf(data.type);
  const isChannelsFirst = nb[0] > nb[2] && nb[1] > nb[0] && nb[2] === size;
  return isContiguous(data) || isChannelsFirst ? null : "the data must be contiguous, in the order WHCN or CWHN";
}

function mask(node: Node): string | null {
  const source = node.src(0)!;
  if (node.data === source.data) return evenRows(node);
  return isContiguous(node) && isContiguous(source) ? null : "it must be contiguous";
}

function attention(node: Node, f32: number): string | null {
  const q = node.src(0)!, k = node.src(1)!, v = node.src(2)!;
  if (q.type !== f32) return `q is ${typeName(q.type)}, and the kernel reads f32`;
  if (v.ne[1] < k.ne[1]) return `v has ${v.ne[1]} rows, and k ${k.ne[1]}`;
  return shared("q", q, [["k", k], ["v", v]], [2, 3]);
}

/** Heads and batches: each of one tensor's has its share of another's. */
function shared(
  name: string,
  tensor: Node,
  others: readonly (readonly [string, Node])[],
  dimensions: readonly number[],
): string | null {
  for (const [other, { ne }] of others) {
    for (const i of dimensions) if (tensor.ne[i] % ne[i] !== 0) return `${name}.ne[${i}] is no multiple of ${other}.ne[${i}]`;
  }
  return null;
}

/** Recurrent kernels divide the tokens among the sequences. */
function sharedTokens(node: Node, state: number): string | null {
  const tokens = node.src(1)!.ne[2], count = node.src(state)!.ne[1];
  return count > 0 && tokens % count === 0 ? null : `${tokens} tokens can't be shared out among ${count} sequences`;
}

function recurrence(node: Node, lib: Lib): string | null {
  const r = node.src(0)!, k = node.src(2)!;
  if (r.elements < k.elements) return "r has fewer elements than k";
  const step = lib.ggml_cpu_has_avx512() ? 64 : lib.ggml_cpu_has_neon() ? 16 : 32; // how many floats the vector loops take at once
  return k.ne[0] % step === 0 ? null : `k.ne[0], the size of a head, is no multiple of ${step}`;
}

/** How many elements a token has. */
function rowOf({ ne }: Node): number {
  return ne[0] * ne[1];
}

/** The n-th of all rows starts at n strides and has its elements side by side, in the result and in what it is computed from. */
function evenRows(node: Node): string | null {
  return denseRows(node) ?? denseRows(node.src(0)!);
}

function denseRows(tensor: Node): string | null {
  return sideBySide(tensor) ?? (hasEvenRows(tensor) ? null : "its matrices must lie one after the other");
}

function sideBySide({ type, nb, ne }: Node): string | null {
  return ne[0] === 1 || nb[0] === traitsOf(type).size ? null : "the elements of its rows must lie side by side";
}

/** Each matrix has its rows one after the other. */
function planes(tensor: Node): string | null {
  const { ne, nb, type } = tensor, { size } = traitsOf(type);
  return sideBySide(tensor) ?? (ne[1] === 1 || nb[1] === ne[0] * size ? null : "the rows of its matrices must lie one after the other");
}

function sourcesContiguous(node: Node): string | null {
  return node.sources.every(isContiguous) ? null : "its sources must be contiguous";
}

function pads(node: Node): string | null {
  const { parameters } = node, isCircular = parameters[8] !== 0, { ne } = node.src(0)!;
  if (!isCircular) return null;
  const wrong = ne.findIndex((size, i) => Math.max(parameters[2 * i], parameters[2 * i + 1]) > size);
  return wrong < 0 ? null : `it pads dimension ${wrong}, of ${ne[wrong]}, by more than that`;
}

function rowsDense(tensor: Node): string | null {
  return isContiguous(tensor) ? null : "the weights must be contiguous";
}

function scan(node: Node, f32: number): string | null {
  const [state, x, dt, A, B, C] = [0, 1, 2, 3, 4, 5].map((i) => node.src(i)!);
  const other = [state, x, dt, A, B, C].find(({ type }) => type !== f32);
  if (other !== undefined) return `a source is ${typeName(other.type)}, and the kernel reads f32`;
  return planes(x) ?? sideBySide(dt) ?? planes(A) ?? planes(B) ?? planes(C);
}

function silu(node: Node): string | null {
  const gradient = node.src(0)!, source = node.src(1)!;
  if (gradient.type !== node.type || source.type !== node.type) return "its sources must be of one type";
  if (source.ne.join() !== gradient.ne.join()) return "its sources must have the same shape";
  return denseRows(gradient) ?? denseRows(source);
}

function hasEvenRows({ ne, nb }: Node): boolean {
  return (ne[2] === 1 || nb[2] === nb[1] * ne[1]) && (ne[3] === 1 || nb[3] === nb[1] * ne[1] * ne[2]);
}

/** `ggml_is_contiguous` of a type without blocks. */
function isContiguous({ type, ne, nb }: Node): boolean {
  let stride = traitsOf(type).size;
  return ne.every((size, i) => {
    const fits = size === 1 || nb[i] === stride;
    stride *= size;
    return fits;
  });
}
