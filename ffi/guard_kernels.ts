/**
 * What the CPU's kernels die of without asserting it: empty sources, divisions by zero, loops that never end, routines that a type hasn't got.
 *
 * Found by `deno task fuzz:compute`, which computes what the builders accept. What the kernels do assert is in `kernels.txt`, translated.
 *
 * @module
 */

import type { lib as generated } from "./lib.js";
import { cpuTraits, isQuantized, type TensorHandle, typeName, typeSize, typeTraits } from "./guard.ts";

/** The generated enums, passed in: bindings of other headers number them in their own way. */
type Lib = typeof generated;

/** Why the CPU would not survive computing a node; null if it would. */
export function whyNot(lib: Lib, node: TensorHandle): string | null {
  return whyNotEmpty(lib, node) ?? whyNotRoutine(lib, node) ?? whyNotParameters(lib, node);
}

/** Why `ggml_graph_plan` would not survive asking how much memory an operation works in; null if it would. It asks for empty ones too. */
export function whyNotPlanned(lib: Lib, { op, src: [first, second] }: TensorHandle): string | null {
  if (op !== lib.GGML_OP_CONV_TRANSPOSE_1D && op !== lib.GGML_OP_CONV_TRANSPOSE_2D) return null;
  return isFloat(lib, first!.type) && second!.type === lib.GGML_TYPE_F32 ? null : "the kernel must be f32 or f16, the data f32";
}

/** The kernels divide by sizes, and read the first element of whatever they are given. These few don't. */
function takesEmpty(lib: Lib, op: number): boolean {
  return op === lib.GGML_OP_SUM || op === lib.GGML_OP_SUM_ROWS || op === lib.GGML_OP_CONCAT || op === lib.GGML_OP_MUL_MAT ||
    op === lib.GGML_OP_CUSTOM || (op >= lib.GGML_OP_MAP_CUSTOM1 && op <= lib.GGML_OP_MAP_CUSTOM3);
}

function whyNotEmpty(lib: Lib, { op, src }: TensorHandle): string | null {
  if (takesEmpty(lib, op)) return null;
  const empty = src.findIndex((source) => source !== null && source.ne.includes(0));
  return empty < 0 ? null : `src[${empty}] is empty and the result is not`;
}

/** A routine of a type that a kernel calls without a look whether it is there. */
function whyNotRoutine(lib: Lib, { op, type, src: [first, second, third] }: TensorHandle): string | null {
  const lacks = (routine: string, of: number) => `ggml has no ${routine} for ${typeName(of)}`;
  if (first === null) return null;
  if (op === lib.GGML_OP_MUL_MAT || op === lib.GGML_OP_MUL_MAT_ID) {
    return cpuTraits(first.type).vec_dot === null ? lacks("vec_dot", first.type) : null;
  }
  if (op === lib.GGML_OP_SET_ROWS && cpuTraits(type).from_float === null) return lacks("from_float", type);
  if (op === lib.GGML_OP_FLASH_ATTN_EXT && second !== null && cpuTraits(second.type).vec_dot === null) return lacks("vec_dot", second.type);
  if (op === lib.GGML_OP_FLASH_ATTN_EXT && third !== null && third.type !== lib.GGML_TYPE_F32) {
    if (typeTraits(third.type).to_float === null) return lacks("to_float", third.type);
  }
  const calculates = op === lib.GGML_OP_ADD || op === lib.GGML_OP_ADD1;
  if (type === first.type && !calculates) return null; // it is copied
  if (isQuantized(first.type) && typeTraits(first.type).to_float === null) return lacks("to_float", first.type);
  return isQuantized(type) && cpuTraits(type).from_float === null ? lacks("from_float", type) : null;
}

function whyNotParameters(lib: Lib, node: TensorHandle): string | null {
  const { op, op_params: parameters, src, type } = node;
  switch (op) {
    case lib.GGML_OP_OPT_STEP_ADAMW:
    case lib.GGML_OP_OPT_STEP_SGD:
      return whyNotFloats(lib, src);
    case lib.GGML_OP_GROUP_NORM:
      return parameters[0] > 0 ? null : `n_groups is ${parameters[0]}`;
    case lib.GGML_OP_ROPE:
    case lib.GGML_OP_ROPE_BACK:
      if (parameters[1] <= 0) return `n_dims is ${parameters[1]}`;
      return isRopeMode(lib, parameters[2]) ? null : `there is no mode ${parameters[2]}`;
    case lib.GGML_OP_SET:
    case lib.GGML_OP_ACC:
      return whyNotInside(node);
    case lib.GGML_OP_IM2COL_BACK:
      return whyNotImageToColumns(node);
    case lib.GGML_OP_WIN_UNPART:
      return parameters[0] > 0 ? null : `w is ${parameters[0]}`;
    case lib.GGML_OP_DIAG_MASK_INF:
    case lib.GGML_OP_DIAG_MASK_ZERO:
      return node.ne[3] === 1 || node.nb[3] === node.nb[2] * node.ne[2] ? null : "its matrices must lie one after the other";
    case lib.GGML_OP_CLAMP:
      return hasEvenRows(node) && hasEvenRows(src[0]!) ? null : "its matrices must lie one after the other";
    case lib.GGML_OP_CONV_2D_DW:
      if (!isFloat(lib, src[0]!.type) || src[1]!.type !== lib.GGML_TYPE_F32) return "the kernel must be f32 or f16, the data f32";
      return isContiguous(src[1]!) || hasDenseChannels(src[1]!) ? null : "the data must be contiguous, in the order WHCN or CWHN";
    case lib.GGML_OP_UNARY:
      if (parameters[0] !== lib.GGML_UNARY_OP_XIELU) return null;
      if (!hasDenseRows(node) || !hasDenseRows(src[0]!)) return "its rows must lie one after the other";
      return isFloat(lib, type) || type === lib.GGML_TYPE_BF16 ? null : `there is no xielu of ${typeName(type)}`;
    case lib.GGML_OP_FLASH_ATTN_EXT:
      return whyNotShared("q", src[0]!, [["k", src[1]!], ["v", src[2]!]], [2, 3]);
    case lib.GGML_OP_GATED_DELTA_NET:
      return whyNotShared("v", src[2]!, [["q", src[0]!], ["k", src[1]!]], [3]);
    case lib.GGML_OP_GATED_LINEAR_ATTN:
      return whyNotSequences(lib, node, 4);
    case lib.GGML_OP_RWKV_WKV6:
      if (elements(src[3]!) < src[0]!.ne[0] * src[0]!.ne[1]) return "tf has fewer elements than a token of k";
      return whyNotSequences(lib, node, 5);
    case lib.GGML_OP_RWKV_WKV7:
      if (elements(src[0]!) < elements(src[2]!)) return "r has fewer elements than k";
      if (src[2]!.ne[0] % vectorStep(lib) !== 0) return `k.ne[0], the size of a head, is no multiple of ${vectorStep(lib)}`;
      return whyNotSequences(lib, node, 6);
    default:
      return null;
  }
}

/** What is set, or accumulated, must lie in the result: a row that reaches over its end is written all the same. */
function whyNotInside({ op_params: [nb1, nb2, nb3, offset], src: [first, second], ne, type }: TensorHandle): string | null {
  if (Math.min(nb1, nb2, nb3, offset) < 0) return "a stride or the offset is negative, as an int32_t";
  const size = typeSize(first!.type), strides = [size, nb1, nb2, nb3];
  const end = second!.ne.reduce((sum, count, i) => sum + (count - 1) * strides[i], offset + size);
  const bytes = typeSize(type) * elements({ ne });
  return end <= bytes ? null : `src[1] would end at byte ${end} of ${bytes}`;
}

function whyNotImageToColumns({ op_params: [s0, s1, , , , , is2D], ne, src: [first, second] }: TensorHandle): string | null {
  if (s0 <= 0 || (s1 <= 0 && is2D === 1)) return `a stride is ${Math.min(s0, s1)}`;
  const [images, channels] = is2D === 1 ? [ne[3], ne[2]] : [ne[2], ne[1]];
  const [KW, KH] = second!.ne, [, OW, OH] = first!.ne;
  const needed = images * channels * KW * OW * (is2D === 1 ? KH * OH : 1);
  const given = elements(first!);
  return needed <= given ? null : `its shape needs ${needed} gradients, and src[0] has ${given}`;
}

function isRopeMode(lib: Lib, mode: number): boolean {
  return mode === lib.GGML_ROPE_TYPE_NORMAL || mode === lib.GGML_ROPE_TYPE_NEOX || mode === lib.GGML_ROPE_TYPE_MROPE ||
    mode === lib.GGML_ROPE_TYPE_IMROPE || mode === lib.GGML_ROPE_TYPE_VISION;
}

function isFloat(lib: Lib, type: number): boolean {
  return type === lib.GGML_TYPE_F32 || type === lib.GGML_TYPE_F16;
}

/** `ggml_is_contiguous` of a type without blocks. */
function isContiguous({ type, ne, nb }: TensorHandle): boolean {
  let stride = typeSize(type);
  return ne.every((size, i) => {
    const fits = size === 1 || nb[i] === stride;
    stride *= size;
    return fits;
  });
}

/** `ggml_is_contiguous_channels`. */
function hasDenseChannels({ type, nb }: TensorHandle): boolean {
  return nb[0] > nb[2] && nb[1] > nb[0] && nb[2] === typeSize(type);
}

/** `ggml_is_contiguous_1`: any stride from row to row, none from matrix to matrix. */
function hasDenseRows(tensor: TensorHandle): boolean {
  return tensor.nb[0] === typeSize(tensor.type) && hasEvenRows(tensor);
}

/** True if the n-th of all rows starts at n strides. */
function hasEvenRows({ ne, nb }: TensorHandle): boolean {
  return (ne[2] === 1 || nb[2] === nb[1] * ne[1]) && (ne[3] === 1 || nb[3] === nb[1] * ne[1] * ne[2]);
}

function elements({ ne }: Pick<TensorHandle, "ne">): number {
  return ne[0] * ne[1] * ne[2] * ne[3];
}

/** `GGML_F32_STEP`: how many floats the vector loops take at once. */
function vectorStep(lib: Lib): number {
  return lib.ggml_cpu_has_avx512() ? 64 : lib.ggml_cpu_has_neon() ? 16 : 32;
}

/** Heads and batches of attention: each of one tensor's has its share of another's. */
function whyNotShared(
  name: string,
  tensor: TensorHandle,
  others: readonly (readonly [string, TensorHandle])[],
  dimensions: readonly number[],
): string | null {
  for (const [other, { ne }] of others) {
    for (const i of dimensions) if (tensor.ne[i] % ne[i] !== 0) return `${name}.ne[${i}] is no multiple of ${other}.ne[${i}]`;
  }
  return null;
}

/** Some kernels read and write floats whatever the type. */
function whyNotFloats(lib: Lib, sources: TensorHandle["src"]): string | null {
  const other = sources.findIndex((source) => source !== null && source.type !== lib.GGML_TYPE_F32);
  return other < 0 ? null : `src[${other}] is ${typeName(sources[other]!.type)}, and must be f32`;
}

/** Recurrent kernels take floats, and divide the tokens among the sequences. */
function whyNotSequences(lib: Lib, { src }: TensorHandle, state: number): string | null {
  const other = whyNotFloats(lib, src);
  if (other !== null) return other;
  const tokens = src[1]!.ne[2], sequences = src[state]!.ne[1];
  return sequences > 0 && tokens % sequences === 0 ? null : `${tokens} tokens can't be shared out among ${sequences} sequences`;
}
