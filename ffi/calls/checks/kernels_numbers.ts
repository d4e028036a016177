/**
 * Where a kernel of the CPU computes something else in silence: from numbers of another type, of another order, or not at all.
 *
 * Each entry says what C does. They were found by `deno task fuzz:kernels`, which computes the same operation in other ways and compares.
 *
 * @module
 */

import type { Check, Entry, Lib } from "./kernels.ts";
import { productOfLaidOut } from "./laid_out.ts";
import { hasDenseMatrices, isChannelsFirst, isContiguous, isSideBySide } from "./layout.ts";
import type { Node } from "./node.ts";
import type { Numbers } from "./say.ts";
import { traitsOf, typeName } from "./types.ts";

/** What is looked at, by operation. */
export function numbers({ GGML_TYPE_F32: F32, GGML_TYPE_F16: F16, GGML_TYPE_BF16: BF16 }: Lib, lib: Numbers): Entry[] {
  const floats = (...sources: readonly number[]) => reads(F32, sources);
  const source = (i: number, is: (tensor: Node) => boolean, what: string): Check => (node) => {
    const tensor = node.src(i);
    return tensor === null || is(tensor) ? null : `src[${i}]: ${what}`;
  };
  const sideBySide = (i: number) => source(i, isSideBySide, "C reads the elements of its rows as if they lay side by side");
  const contiguous = (i: number) => source(i, isContiguous, "C reads it as if it were contiguous");
  const dense = (i: number) => source(i, hasDenseMatrices, "C reads its rows as if they lay one after the other");
  const isFloat = ({ type }: Node) => type === F32 || type === F16;
  return [
    // Read f32 whatever the type.
    [lib.GGML_OP_ADD1, (node) => node.type === F16 || node.type === BF16 ? null : floats(1)(node)],
    [lib.GGML_OP_CONV_2D, floats(1)],
    [lib.GGML_OP_CONV_2D_DW, floats(1)],
    [lib.GGML_OP_CONV_3D, floats(1)],
    [lib.GGML_OP_CROSS_ENTROPY_LOSS_BACK, floats(1, 2)],
    [lib.GGML_OP_FLASH_ATTN_EXT, floats(0)],
    [lib.GGML_OP_GATED_LINEAR_ATTN, floats(1, 2, 3, 4)],
    [lib.GGML_OP_OPT_STEP_ADAMW, floats(1, 2, 3)],
    [lib.GGML_OP_OPT_STEP_SGD, floats(1)],
    [lib.GGML_OP_OUT_PROD, floats(1)],
    [lib.GGML_OP_POOL_2D_BACK, floats(0)],
    [lib.GGML_OP_RMS_NORM_BACK, floats(1)],
    [lib.GGML_OP_RWKV_WKV6, floats(1, 2, 3, 4, 5)],
    [lib.GGML_OP_RWKV_WKV7, floats(1, 2, 3, 4, 5, 6)],
    [lib.GGML_OP_SOFT_MAX_BACK, floats(1)],
    [lib.GGML_OP_SSM_CONV, floats(1)],
    [lib.GGML_OP_SSM_SCAN, floats(1, 2, 3, 4, 5)],
    // Of weights that were laid out anew, computes a part.
    [lib.GGML_OP_MUL_MAT, productOfLaidOut],
    // Read the result's type whatever src[1] has.
    [lib.GGML_OP_SET, sameType],
    [lib.GGML_OP_SILU_BACK, sameType],
    // Reads f32 of the data where it looks for the largest.
    [lib.GGML_OP_POOL_2D_BACK, (node) => node.parameters[0] === lib.GGML_OP_POOL_MAX ? floats(1)(node) : null],
    // Read f16 whatever isn't f32.
    [lib.GGML_OP_POOL_1D, source(0, isFloat, "must be f32 or f16: C reads any other type as f16")],
    [lib.GGML_OP_POOL_2D, source(0, isFloat, "must be f32 or f16: C reads any other type as f16")],
    // Copies bf16 into a result of f16.
    [
      lib.GGML_OP_GET_REL_POS,
      source(0, ({ type }) => type !== BF16, "is bf16, and C copies its bits into a result of f16, which is C's fault"),
    ],
    [lib.GGML_OP_GET_REL_POS, dense(0)],
    // Read as if elements lay side by side.
    [lib.GGML_OP_ARGMAX, sideBySide(0)],
    [lib.GGML_OP_ARGSORT, sideBySide(0)],
    [lib.GGML_OP_GET_ROWS, sideBySide(0)],
    [lib.GGML_OP_LEAKY_RELU, sideBySide(0)],
    [lib.GGML_OP_MEAN, sideBySide(0)],
    [lib.GGML_OP_POOL_1D, sideBySide(0)],
    [lib.GGML_OP_POOL_2D, sideBySide(0)],
    [lib.GGML_OP_SILU_BACK, sideBySide(0)],
    [lib.GGML_OP_SILU_BACK, sideBySide(1)],
    [lib.GGML_OP_SUM, sideBySide(0)],
    [lib.GGML_OP_TOP_K, sideBySide(0)],
    // So do those of a number for each head, or of one for each position or pair.
    [lib.GGML_OP_FLASH_ATTN_EXT, sideBySide(4)],
    [lib.GGML_OP_ROPE, sideBySide(1)],
    [lib.GGML_OP_ROPE, sideBySide(2)],
    [lib.GGML_OP_ROPE_BACK, sideBySide(1)],
    [lib.GGML_OP_ROPE_BACK, sideBySide(2)],
    [lib.GGML_OP_SOFT_MAX, sideBySide(2)],
    // Read as if rows lay one after the other.
    [lib.GGML_OP_CONV_TRANSPOSE_2D, dense(0)],
    [lib.GGML_OP_IM2COL, (node) => node.parameters[6] === 1 ? dense(1)(node) : null],
    [lib.GGML_OP_SSM_CONV, dense(1)],
    // Read as if all were contiguous.
    [lib.GGML_OP_IM2COL_BACK, contiguous(0)],
    [lib.GGML_OP_POOL_2D_BACK, contiguous(0)],
    [lib.GGML_OP_POOL_2D_BACK, contiguous(1)],
    [lib.GGML_OP_WIN_PART, contiguous(0)],
    [lib.GGML_OP_WIN_UNPART, contiguous(0)],
    [lib.GGML_OP_CONV_2D_DW, depthwise],
    // Writes the n-th of the outermost matrices n blocks, and not n strides, behind the first.
    [
      lib.GGML_OP_ADD1,
      (node) => traitsOf(node.type).isQuantized && node.ne[3] > 1 ? "C writes ne[3] matrices over each other, which is its fault" : null,
    ],
    // Quantize whole blocks of a row, and leave the rest of the result as it was.
    [lib.GGML_OP_ADD, wholeBlocks],
    [lib.GGML_OP_CPY, wholeBlocks],
    [lib.GGML_OP_DUP, wholeBlocks],
    // Leave out ne[3] for signals, which have no more than channels and images.
    [
      lib.GGML_OP_IM2COL_BACK,
      ({ parameters, ne }) => parameters[6] === 1 || ne[3] === 1 ? null : "C leaves what is behind the first ne[3] as it was",
    ],
    // Computes nothing.
    [lib.GGML_OP_GROUP_NORM, ({ parameters: [groups] }) => groups < 0 ? `n_groups is ${groups}, and C computes nothing` : null],
  ];
}

/** Some sources are read as one type, whatever theirs. */
function reads(type: number, sources: readonly number[]): Check {
  return (node) => {
    for (const i of sources) {
      const source = node.src(i);
      if (source !== null && source.type !== type) return `src[${i}] is ${typeName(source.type)}, and C reads ${typeName(type)}`;
    }
    return null;
  };
}

function sameType(node: Node): string | null {
  const { type } = node.src(1)!;
  return type === node.type ? null : `src[1] is ${typeName(type)}, and C reads ${typeName(node.type)}`;
}

/** Takes data of the order CWHN for that of WHCN, or for dense, by its strides alone; and the kernel for what the data is. */
function depthwise(node: Node): string | null {
  const kernel = node.src(0)!, data = node.src(1)!;
  if (isContiguous(data)) {
    if (!isContiguous(kernel)) return "src[0]: C reads it as if it were contiguous, as src[1] is";
    return isContiguous(node) ? null : "src[1] is of the order CWHN, and C reads WHCN, which is its fault";
  }
  if (!isChannelsFirst(data)) return "src[1]: C reads it as if it were contiguous, in the order WHCN or CWHN";
  const { type, ne: [W, H, , C], nb } = kernel, { size } = traitsOf(type);
  const isLikeData = (C === 1 || nb[3] === size) && (W === 1 || nb[0] === C * size) && (H === 1 || nb[1] === W * C * size);
  return isLikeData ? null : "src[0]: C reads it in the order CWHN, as src[1] is";
}

function wholeBlocks(node: Node): string | null {
  const source = node.src(0)!, { isQuantized, block } = traitsOf(node.type);
  if (!isQuantized || source.type === node.type || source.ne[0] % block === 0) return null;
  return `src[0] has rows of ${source.ne[0]}, which are no whole blocks of ${block}, and C leaves out the rest`;
}
