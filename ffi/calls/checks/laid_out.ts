/**
 * Weights that a buffer of AMX or CPU_REPACK has laid out anew, for the processor's fastest kernels: what those take for granted and don't look at, so
 * that numbers would be wrong in silence, or read from beyond.
 *
 * Found on a processor with AMX, by products of random shapes that were compared with plain ones.
 *
 * @module
 */

import { orderOf } from "../rearranged.ts";
import type { Check } from "./kernels.ts";
import { hasDenseMatrices, isSideBySide } from "./layout.ts";
import type { Node } from "./node.ts";
import { traitsOf } from "./types.ts";

/** Why a view of weights can't be read; null if it can: C would look for its rows where they were before. */
export function seenAnew(view: Node): string | null {
  const whole = view.view;
  if (whole === null || !traitsOf(whole.type).isQuantized) return null;
  const kind = orderOf(BigInt(whole.buffer));
  if (kind === "") return null;
  const isWhole = view.buffer !== 0 && view.offset === 0 && same(view.ne, whole.ne) && same(view.nb, whole.nb);
  return isWhole ? null : `is a view of weights that a buffer of ${kind} has laid out anew, and C would read them as they lay before`;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.every((n, i) => n === b[i]);
}

/** The numbers of a row, and the rows of src[1], with which the kernel for AMX writes nothing. */
const SHORT = 32, BLOCK = 32;

/** Why the product with such weights can't be computed; null if it can. */
export const productOfLaidOut: Check = (node) => {
  const weights = node.src(0)!, numbers = node.src(1)!, kind = orderOf(BigInt(weights.buffer));
  if (kind === "") return null;
  if (kind !== "AMX") {
    const isRead = numbers.ne[1] < 4 ? isSideBySide(numbers) : hasDenseMatrices(numbers);
    return isRead ? null : "src[1]: C reads its rows as if they lay one after the other, where the weights were laid out anew";
  }
  if (node.ne[2] * node.ne[3] > 1) return "C computes one matrix only where the weights are in a buffer of AMX";
  const isLeft = traitsOf(weights.type).isQuantized && weights.ne[0] <= SHORT && node.ne[1] >= BLOCK;
  return isLeft ? `C computes nothing of ${BLOCK} rows of ${SHORT} numbers where the weights are in a buffer of AMX` : null;
};

/** How often a matrix may be asked for: where they were laid out anew, C has room for as many rows as there are tokens. */
export function mostAsked(node: Node): number {
  return orderOf(BigInt(node.src(0)!.buffer)) === "" ? Infinity : node.src(1)!.ne[2];
}
