/**
 * Where a kernel of the CPU reads or writes beyond its tensors.
 *
 * Each entry says what C does. They were found by `deno task asan`, which computes random graphs whose tensors lie in memory of their own, over a ggml
 * with AddressSanitizer.
 *
 * @module
 */

import type { Check, Entry, Lib } from "./kernels.ts";
import { hasEvenRows, isContiguous, isPacked, isSideBySide } from "./layout.ts";
import type { Node } from "./node.ts";
import type { Numbers } from "./say.ts";
import { traitsOf, typeName } from "./types.ts";

/** What is looked at, by operation. */
export function bounds(functions: Lib, lib: Numbers): Entry[] {
  const copy: Check = (node) => copied(node) ?? quantized(node);
  const rope: Check = (node) => pairs(node) ?? factors(node);
  return [
    // Copies a row of floats where the result's type can't be converted to, as many times a block's size as it has elements.
    [lib.GGML_OP_ADD, (node) => {
      if (!traitsOf(node.src(0)!.type).isQuantized || traitsOf(node.type).fromFloat) return null;
      return `C can't convert to ${typeName(node.type)}, and copies floats`;
    }],
    // Looks where the last row begins, and not where it ends.
    [lib.GGML_OP_ACC, inside],
    [lib.GGML_OP_SET, inside],
    // Take the n-th of all rows to begin at n strides.
    [lib.GGML_OP_ARGSORT, evenRows],
    [lib.GGML_OP_CLAMP, evenRows],
    [lib.GGML_OP_CROSS_ENTROPY_LOSS, evenRows],
    [lib.GGML_OP_CROSS_ENTROPY_LOSS_BACK, evenRows],
    [lib.GGML_OP_GLU, evenRows],
    [lib.GGML_OP_LEAKY_RELU, evenRows],
    [lib.GGML_OP_POOL_1D, evenRows],
    [lib.GGML_OP_SILU_BACK, (node) => sameShape(node) ?? evenRows(node)],
    [lib.GGML_OP_SOFT_MAX_BACK, evenRows],
    [lib.GGML_OP_TOP_K, evenRows],
    // In place, the n-th matrix at n strides.
    [lib.GGML_OP_DIAG_MASK_INF, evenMatrices],
    [lib.GGML_OP_DIAG_MASK_ZERO, evenMatrices],
    // Counts rows by the wrong dimensions.
    [lib.GGML_OP_COUNT_EQUAL, countable],
    // Copy a block for each element where blocks are to be moved, and quantize rows in memory for shorter ones.
    [lib.GGML_OP_CONT, copy],
    [lib.GGML_OP_CPY, copy],
    [lib.GGML_OP_DUP, copy],
    // Write from before the result on.
    [lib.GGML_OP_CONV_TRANSPOSE_1D, strides],
    [lib.GGML_OP_CONV_TRANSPOSE_2D, strides],
    // Reads a row of v for each of k, a row of the mask for each of q, and heads of k and v that there are not.
    [lib.GGML_OP_FLASH_ATTN_EXT, attention],
    // Reads tokens of g and beta, heads of q and k that there are not.
    [lib.GGML_OP_GATED_DELTA_NET, deltaNet],
    // Divide the tokens among the sequences, and count on where some are left.
    [lib.GGML_OP_GATED_LINEAR_ATTN, (node) => sharedTokens(node, 4)],
    [lib.GGML_OP_RWKV_WKV6, (node) => sharedTokens(node, 5) ?? fewer(node, "tf", 3, node.src(0)!.ne[0] * node.src(0)!.ne[1])],
    [lib.GGML_OP_RWKV_WKV7, (node) => sharedTokens(node, 6) ?? fewer(node, "r", 0, node.src(2)!.elements) ?? heads(node, functions)],
    // Reads a row of gradients for each index, which it takes to be contiguous, and adds it where the index says.
    [lib.GGML_OP_GET_ROWS_BACK, (node) => {
      const gradients = node.src(0)!, indices = node.src(1)!;
      if (indices.elements > gradients.ne[1]) return `src[1] has ${indices.elements} indices, and src[0] ${gradients.ne[1]} rows`;
      return isSideBySide(indices) ? null : "src[1]: C reads the indices as if they lay side by side";
    }],
    // Keeps strides in 32 bits.
    [lib.GGML_OP_IM2COL, (node) => Math.max(...node.src(1)!.nb.slice(0, 3)) < 2 ** 31 ? null : "src[1]: its channels are 2 GiB or more"],
    // Reads gradients that there are not.
    [lib.GGML_OP_IM2COL_BACK, columns],
    // Copies and writes states at the strides of src[0], also where there is one of them.
    [lib.GGML_OP_SSM_SCAN, states],
    // Reads and writes rows as long as src[1]'s, whatever src[0] is.
    [lib.GGML_OP_MUL_MAT, (node) => {
      const hint = lib.GGML_HINT_SRC0_IS_HADAMARD;
      if (hint === undefined || node.parameters[1] !== hint) return null;
      const { ne } = node.src(0)!;
      if (ne[0] !== ne[1]) return `src[0] is said to be a Hadamard matrix, and is none`;
      return isSideBySide(node.src(1)!) ? null : "src[1]: C reads the elements of its rows as if they lay side by side";
    }],
    // Read and write all at the strides of the weights.
    [lib.GGML_OP_OPT_STEP_ADAMW, (node) => sameStrides(node, [1, 2, 3])],
    [lib.GGML_OP_OPT_STEP_SGD, (node) => sameStrides(node, [1])],
    // Wraps around once.
    [lib.GGML_OP_PAD, circular],
    // Goes on from plane to plane until the memory ends, and not for as many as there are.
    [lib.GGML_OP_POOL_2D, planes],
    // Reads gradients of planes that there are not.
    [lib.GGML_OP_POOL_2D_BACK, (node) => {
      const [, , C, N] = node.ne, [, , c, n] = node.src(0)!.ne;
      return c * n >= C * N ? null : `src[0] has ${c * n} planes, and the result ${C * N}`;
    }],
    // Write the second half of a last pair, and read factors for those that aren't rotated, too.
    [lib.GGML_OP_ROPE, rope],
    [lib.GGML_OP_ROPE_BACK, rope],
    // Divides by how many times larger the result is, in floats: by nothing for what is empty, and too coarsely for what is huge.
    [lib.GGML_OP_UPSCALE, scaled],
    // Reads windows that there are not.
    [lib.GGML_OP_WIN_UNPART, windows],
  ];
}

function sameShape(node: Node): string | null {
  const [gradients, source] = [node.src(0)!.ne, node.src(1)!.ne];
  return gradients.every((n, i) => n === source[i]) ? null : "C reads as many gradients as src[1] has elements";
}

/**
 * The operations that may have a source without elements where the result has some. The others divide by its sizes, read its first element, or leave
 * the result as it was.
 */
export function takeEmpty(lib: Numbers): number[] {
  const operations = [
    lib.GGML_OP_ACC,
    lib.GGML_OP_ARGMAX,
    lib.GGML_OP_CONCAT,
    lib.GGML_OP_COUNT_EQUAL,
    lib.GGML_OP_CROSS_ENTROPY_LOSS,
    lib.GGML_OP_CUSTOM,
    lib.GGML_OP_FLASH_ATTN_EXT,
    lib.GGML_OP_GET_ROWS_BACK,
    lib.GGML_OP_IM2COL,
    lib.GGML_OP_LIGHTNING_INDEXER,
    lib.GGML_OP_MAP_CUSTOM1,
    lib.GGML_OP_MAP_CUSTOM2,
    lib.GGML_OP_MAP_CUSTOM3,
    lib.GGML_OP_MEAN,
    lib.GGML_OP_MUL_MAT,
    lib.GGML_OP_MUL_MAT_ID,
    lib.GGML_OP_OUT_PROD,
    lib.GGML_OP_PAD,
    lib.GGML_OP_POOL_1D,
    lib.GGML_OP_REPEAT_BACK,
    lib.GGML_OP_SET,
    lib.GGML_OP_SET_ROWS,
    lib.GGML_OP_SSM_CONV,
    lib.GGML_OP_SUM,
    lib.GGML_OP_SUM_ROWS,
    lib.GGML_OP_WIN_PART,
  ];
  return operations.filter((operation) => operation !== undefined);
}

/** Rows at one stride through all matrices, in the result and in its sources. */
function evenRows(node: Node): string | null {
  for (const tensor of [node, ...node.sources]) {
    if (!hasEvenRows(tensor)) return "C takes its rows, or a source's, to lie at one stride through all matrices";
  }
  return null;
}

function evenMatrices({ view, ne, nb }: Node): string | null {
  return view === null || ne[3] === 1 || nb[3] === nb[2] * ne[2] ? null : "C takes its matrices to lie at one stride";
}

/** C takes apart a row's number by ne[3] and ne[2] instead of ne[1] * ne[2] and ne[1]. */
function countable(node: Node): string | null {
  const [, a, b, c] = node.src(0)!.ne;
  return (c === 1 || c === a * b) && (b === 1 || b === a) ? null : "C counts rows that there are not, which is its fault";
}

/** A copy within one quantized type: whole, or row by row, or block by block into what isn't contiguous. */
function copied(node: Node): string | null {
  const source = node.src(0)!, { isQuantized, size } = traitsOf(source.type);
  if (!isQuantized) return null;
  const isDense = isContiguous(source), isWhole = isContiguous(node);
  if (source.type !== node.type) return isSideBySide(source) ? null : "C takes the blocks of src[0] to lie side by side";
  if (isDense && isWhole) return null;
  if (source.nb[0] !== size) return "C takes the blocks of src[0] to lie side by side";
  if (node.nb[0] !== size) return "C takes the blocks of the result to lie side by side";
  return !isWhole || source.ne.every((n, i) => n === node.ne[i]) ? null : "C copies a block for each element, which is its fault";
}

/** A copy to a quantized type: a row of src[0] is converted in memory for a row of the result. */
function quantized(node: Node): string | null {
  const source = node.src(0)!;
  if (source.type === node.type || !traitsOf(node.type).isQuantized || source.ne[0] <= node.ne[0]) return null;
  return `C has memory for rows of ${node.ne[0]}, and src[0] has rows of ${source.ne[0]}, which is C's fault`;
}

/** What is set, or accumulated, must lie in the result: a row that reaches over its end is written all the same. Threads write what overlaps at once. */
function inside(node: Node): string | null {
  const [nb1, nb2, nb3, offset] = node.parameters, { size } = traitsOf(node.src(0)!.type), { ne } = node.src(1)!;
  if (Math.min(nb1, nb2, nb3, offset) < 0) return "a stride or the offset is negative, as an int32_t";
  if (ne.includes(0)) return null;
  let end = ne[0] * size;
  const outer = [[nb1, ne[1]], [nb2, ne[2]], [nb3, ne[3]]].filter(([, count]) => count > 1).sort(([a], [b]) => a - b);
  for (const [stride, count] of outer) {
    if (stride < end) return "what is written would overlap itself";
    end += (count - 1) * stride;
  }
  const bytes = traitsOf(node.type).size * node.elements;
  return offset + end <= bytes ? null : `src[1] would end at byte ${offset + end} of ${bytes}`;
}

function strides({ parameters: [stride] }: Node): string | null {
  return stride >= 0 ? null : `the stride is ${stride}`;
}

function attention(node: Node): string | null {
  const q = node.src(0)!, k = node.src(1)!, v = node.src(2)!, mask = node.src(3);
  if (node.src(4)?.elements === 0) return "it has no sinks";
  if (v.ne[1] < k.ne[1]) return `v has ${v.ne[1]} rows, and k ${k.ne[1]}`;
  if (mask !== null && mask.ne[0] < k.ne[1]) return `the mask has rows of ${mask.ne[0]}, and k ${k.ne[1]} rows`;
  if (mask !== null && mask.ne[1] < q.ne[1]) return `the mask has ${mask.ne[1]} rows, and q ${q.ne[1]}`;
  return q.ne[2] % v.ne[2] === 0 ? null : "q.ne[2] is no multiple of v.ne[2]";
}

function deltaNet(node: Node): string | null {
  const [q, k, v, g, beta] = [0, 1, 2, 3, 4].map((i) => node.src(i)!);
  const [S, H, T, B] = v.ne;
  for (const [name, { ne }] of [["q", q], ["k", k]] as const) {
    if (ne[0] < S || ne[2] < T) return `${name} has fewer elements or tokens than v`;
    if (B % ne[3] !== 0) return `v.ne[3] is no multiple of ${name}.ne[3]`;
  }
  for (const [name, { ne }] of [["g", g], ["beta", beta]] as const) {
    if (ne[1] < H || ne[2] < T || ne[3] < B) return `${name} has fewer heads, tokens or sequences than v`;
  }
  return null;
}

/** Recurrent kernels divide the tokens among the sequences. */
function sharedTokens(node: Node, state: number): string | null {
  const tokens = node.src(1)!.ne[2], count = node.src(state)!.ne[1];
  return count > 0 && tokens % count === 0 ? null : `${tokens} tokens can't be shared out among ${count} sequences`;
}

function fewer(node: Node, name: string, i: number, needed: number): string | null {
  const { elements } = node.src(i)!;
  return elements >= needed ? null : `${name} has ${elements} elements, and C reads ${needed}`;
}

/** Vectors are read whole. */
function heads(node: Node, lib: Lib): string | null {
  const step = vectorStep(lib);
  return node.src(2)!.ne[0] % step === 0 ? null : `k.ne[0], the size of a head, is no multiple of ${step}`;
}

/** How many floats the vector loops take at once. */
function vectorStep(lib: Lib): number {
  if (lib.ggml_cpu_has_avx512()) return 64;
  if (lib.ggml_cpu_has_sve() || lib.ggml_cpu_has_riscv_v()) return 1;
  return lib.ggml_cpu_has_sse3() ? 32 : lib.ggml_cpu_has_neon() ? 16 : 1;
}

function columns(node: Node): string | null {
  const is2D = node.parameters[6] === 1, { ne } = node;
  const [images, channels] = is2D ? [ne[3], ne[2]] : [ne[2], ne[1]];
  const [KW, KH] = node.src(1)!.ne, [, OW, OH] = node.src(0)!.ne;
  const needed = images * channels * KW * OW * (is2D ? KH * OH : 1);
  const given = node.src(0)!.elements;
  return needed <= given ? null : `its shape needs ${needed} gradients, and src[0] has ${given}`;
}

function states(node: Node): string | null {
  const isOne = node.src(1)!.ne[3] === 1 && node.parameters[0] === 1;
  return isOne || isPacked(node.src(0)!) ? null : "src[0]: C takes its strides for those of the states in the result";
}

function sameStrides(node: Node, sources: readonly number[]): string | null {
  const weights = node.src(0)!;
  for (const i of sources) {
    const { nb } = node.src(i)!;
    if (weights.ne.some((n, k) => n > 1 && nb[k] !== weights.nb[k])) return `src[${i}]: C reads it at the strides of src[0]`;
  }
  return null;
}

function circular(node: Node): string | null {
  const { parameters } = node, { ne } = node.src(0)!;
  const wrong = parameters[8] === 0 ? -1 : ne.findIndex((size, i) => parameters[2 * i] > size);
  return wrong < 0 ? null : `it pads dimension ${wrong}, of ${ne[wrong]}, by ${parameters[2 * wrong]} before, and C wraps around once`;
}

function planes(node: Node): string | null {
  const { ne, nb, type } = node.src(0)!, count = ne[2] * ne[3];
  const bytes = ne.reduce((sum, n, i) => sum + (n - 1) * nb[i], traitsOf(type).size);
  const isEven = ne[3] === 1 || nb[3] === nb[2] * ne[2];
  return isEven && Math.ceil(bytes / nb[2]) === count ? null : "src[0]: C takes its planes to lie one after the other";
}

function pairs({ ne }: Node): string | null {
  return ne[0] % 2 === 0 ? null : `its rows have ${ne[0]} elements, and C takes pairs`;
}

/** Models that rotate part of a row have factors for that part, and more numbers behind them: they are read, and not used. */
function factors(node: Node): string | null {
  const factors = node.src(2), needed = Math.ceil(node.ne[0] / 2);
  if (factors === null || factors.ne[0] >= needed || factors.room >= 4 * needed) return null;
  return `src[2] has ${factors.ne[0]} factors, and C reads ${needed}, those of elements that aren't rotated among them`;
}

function scaled(node: Node): string | null {
  const source = node.src(0)!.ne, { ne } = node;
  const isOutside = ne.some((count, i) => {
    const factor = Math.fround(Math.fround(count) / Math.fround(source[i]));
    return !(Math.floor(Math.fround(Math.fround(count - 1) / factor)) < source[i]);
  });
  return isOutside ? `C can't scale [${source}] to [${ne}]` : null;
}

function windows(node: Node): string | null {
  const w = node.parameters[0], [, W, H] = node.ne, [, windowW, windowH, count] = node.src(0)!.ne;
  if (w <= 0) return `w is ${w}`;
  const needed = Math.ceil(W / w) * Math.ceil(H / w);
  if (Math.min(w, W) > windowW || Math.min(w, H) > windowH) return `src[0] has windows of ${windowW} × ${windowH}, and w is ${w}`;
  return needed <= count ? null : `src[0] has ${count} windows, and the result ${needed}`;
}
