/**
 * How a tensor's elements lie in memory, as kernels take for granted.
 *
 * A stride between things of which there is one is of no importance, but where it says so.
 *
 * @module
 */

import type { Node } from "./node.ts";
import { traitsOf } from "./types.ts";

/** The elements, or blocks, of each row lie side by side. */
export function isSideBySide({ type, nb, ne }: Node): boolean {
  const { size, block } = traitsOf(type);
  return nb[0] === size || (block === 1 && ne[0] <= 1);
}

/** The n-th of all rows begins at n strides `nb[1]`, whatever its dimensions. */
export function hasEvenRows({ ne, nb }: { readonly ne: readonly number[]; readonly nb: readonly number[] }): boolean {
  return (ne[2] === 1 || nb[2] === nb[1] * ne[1]) && (ne[3] === 1 || nb[3] === nb[1] * ne[1] * ne[2]);
}

/** In each matrix the rows lie one after the other. */
export function hasDenseMatrices(tensor: Node): boolean {
  const { ne, nb, type } = tensor, { size, block } = traitsOf(type);
  return isSideBySide(tensor) && (ne[1] === 1 || nb[1] === ne[0] / block * size);
}

/** `ggml_is_contiguous`. */
export function isContiguous(tensor: Node): boolean {
  return strides(tensor).every((stride, i) => tensor.nb[i] === stride || tensor.ne[i] === (i === 0 ? traitsOf(tensor.type).block : 1));
}

/** `ggml_is_contiguous`, and even the stride of a dimension of 1 is what it would be between two. */
export function isPacked(tensor: Node): boolean {
  const { nb } = tensor;
  return strides(tensor).every((stride, i) => nb[i] === stride);
}

/** A pixel's channels lie side by side, the pixels one after the other: the order CWHN. */
export function isChannelsFirst({ type, ne: [W, H, C, N], nb }: Node): boolean {
  const { size } = traitsOf(type);
  const fits = (count: number, stride: number, expected: number) => count === 1 || stride === expected;
  return fits(C, nb[2], size) && fits(W, nb[0], C * size) && fits(H, nb[1], W * C * size) && fits(N, nb[3], H * W * C * size);
}

/** The strides of a tensor without gaps. */
function strides({ type, ne }: Node): number[] {
  const { size, block } = traitsOf(type), row = ne[0] / block * size;
  return [size, row, row * ne[1], row * ne[1] * ne[2]];
}
