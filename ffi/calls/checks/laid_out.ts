/**
 * Weights that a buffer of AMX or CPU_REPACK has laid out anew, for the processor's fastest kernels: what those take for granted and don't look at, so
 * that numbers would be wrong in silence, or read from beyond.
 *
 * Found on a processor with AMX, by products of random shapes that were compared with plain ones.
 *
 * @module
 */

import { callNow } from "../call_now.ts";
import type { Check } from "./kernels.ts";
import { hasDenseMatrices, isSideBySide } from "./layout.ts";
import type { Node } from "./node.ts";
import { isHostBuffer } from "./pointers.ts";
import { traitsOf } from "./types.ts";

const ONE = ["u64"] as const;
/** `GGML_BACKEND_DEVICE_TYPE_CPU`. */
const CPU = 0;

/** The name of a buffer of the CPU's that isn't memory as it lies: of one that lays weights out anew. Null for any other. */
export function layingOut(buffer: number): string | null {
  const address = BigInt(buffer);
  if (buffer === 0 || isHostBuffer(address)) return null;
  const device = callNow(
    "ggml_backend_buft_get_device",
    ONE,
    "u64",
    callNow("ggml_backend_buffer_get_type", ONE, "u64", address),
  ) as bigint;
  if (device === 0n || callNow("ggml_backend_dev_type", ONE, "u32", device) !== CPU) return null;
  const name = callNow("ggml_backend_buffer_name", ONE, "u64", address) as bigint;
  return new Deno.UnsafePointerView(Deno.UnsafePointer.create(name)!).getCString();
}

/** Why a view of weights can't be read; null if it can: C would look for its rows where they were before. */
export function seenAnew(view: Node): string | null {
  const whole = view.view;
  if (whole === null || !traitsOf(whole.type).isQuantized) return null;
  const kind = layingOut(whole.buffer);
  if (kind === null) return null;
  const isWhole = view.buffer !== 0 && view.offset === 0 && same(view.ne, whole.ne) && same(view.nb, whole.nb);
  return isWhole ? null : `it is a view of weights that a buffer of ${kind} has laid out anew, and C would read them as they lay before`;
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.every((n, i) => n === b[i]);
}

/** The numbers of a row, and the rows of src[1], with which the kernel for AMX writes nothing. */
const SHORT = 32, BLOCK = 32;

/** Why the product with such weights can't be computed; null if it can. */
export const productOfLaidOut: Check = (node) => {
  const weights = node.src(0)!, numbers = node.src(1)!, kind = layingOut(weights.buffer);
  if (kind === null) return null;
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
  return layingOut(node.src(0)!.buffer) === null ? Infinity : node.src(1)!.ne[2];
}
