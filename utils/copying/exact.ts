/**
 * Which integers are values of a tensor type: all others would be rounded, wrapped or cut off.
 *
 * @module
 */

import { lib } from "../../ffi/generated/lib.js";
import type { TypeInfo } from "./types.ts";

/** The bits of BF16 within those of a 32-bit float are its upper half. */
const float = new Float32Array(1), bits = new Uint32Array(float.buffer);

/**
 * True if an element that was made from an integer is that integer, and stays it in a tensor. What is quantized is rounded by its nature.
 *
 * @param element What an array of `arrayFor` gives back of it.
 */
export function isExact(integer: number | bigint, element: number | bigint, { type, isQuantized }: TypeInfo): boolean {
  if (isQuantized) return true;
  // A number and a bigint of the same value are equal, but not identical.
  if (element != integer) return false;
  return type !== lib.GGML_TYPE_BF16 || isBf16(element as number);
}

function isBf16(number: number): boolean {
  float[0] = number;
  return (bits[0] & 0xffff) === 0;
}

/** True if every one of these is a value of F32. */
export function areFloats(integers: Int32Array): boolean {
  for (let i = 0; i < integers.length; i++) if (Math.fround(integers[i]) !== integers[i]) return false;
  return true;
}

/** What is thrown of an integer that isn't exact. */
export function inexact(
  role: string,
  integer: number | bigint,
  position: number,
  shape: readonly number[],
  { name }: TypeInfo,
): RangeError {
  return new RangeError(`${role}: ${integer} at [${indexOf(position, shape).join(", ")}] is no value of ${name}`);
}

/** The index, row-major, of an element by its position. */
export function indexOf(position: number, shape: readonly number[]): number[] {
  let rest = position;
  return shape.toReversed().map((n) => {
    const index = rest % n;
    rest = Math.floor(rest / n);
    return index;
  }).reverse();
}
