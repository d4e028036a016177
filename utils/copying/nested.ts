/**
 * Nested arrays of numbers, as JavaScript writes matrices: `[[1, 2], [3, 4]]`. They become an `ndarray` of the type that is wanted.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { type NdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { inexact, isExact } from "./exact.ts";
import type { TypeInfo } from "./types.ts";

/** Numbers, or arrays of these, all of one length at each depth; or any iterable of numbers. */
export type NestedNumbers = object & Iterable<number | bigint | NestedNumbers>;

/** The most items that are taken out of an iterable, which may have no end, and how deep arrays may be in arrays, which may be in themselves. */
const LONGEST = 2 ** 26, DEEPEST = 64;

/** True for what may be nested arrays: an iterable that is neither text nor a typed array. */
export function isNested(value: unknown): value is NestedNumbers {
  return typeof value === "object" && value !== null && Symbol.iterator in value && !ArrayBuffer.isView(value);
}

/**
 * The numbers of nested arrays as an `ndarray`.
 *
 * @param type The tensor type that they are for: the array's elements are of that type, or 32-bit floats if no array has such elements.
 * @param most How many there may be in an iterable.
 * @throws {TypeError} If an item is neither a number nor an array, or an integer type gets something else than integers.
 * @throws {RangeError} If there are more, the arrays of one depth have different lengths, or an integer isn't a value of the type. A number is no
 * integer to floats, which round it; a bigint is, and so is an element of an array of integers.
 */
export function fromNested(value: NestedNumbers, type: TypeInfo, most: number, role: string): NdArray<TypedArray> {
  const shape: number[] = [], numbers: (number | bigint)[] = [];
  flatten(value, 0, shape, numbers, most, role);
  const data = arrayFor(type, numbers.length);
  numbers.forEach((number, i) => {
    data[i] = element(number, data, type, role) as never;
    if (typeof number === "bigint" && !isExact(number, data[i], type)) throw inexact(role, number, i, shape, type);
  });
  return ndarray(data, shape);
}

function flatten(value: NestedNumbers, depth: number, shape: number[], numbers: (number | bigint)[], most: number, role: string): void {
  if (depth === DEEPEST) throw new RangeError(`${role}: arrays in arrays, more than ${DEEPEST} deep`);
  const items = itemsOf(value, most, role);
  const expected = shape[depth] ??= items.length;
  if (items.length !== expected) {
    throw new RangeError(`${role}: arrays of different lengths, ${expected} and ${items.length}, at depth ${depth}`);
  }
  const areIntegers = isIntegers(value);
  for (const item of items) {
    if (typeof item === "number" || typeof item === "bigint") {
      if (shape.length > depth + 1) throw new TypeError(`${role}: a number beside arrays, at depth ${depth}`);
      numbers.push(areIntegers ? BigInt(item) : item);
    } else if (isNested(item) || ArrayBuffer.isView(item)) {
      if (shape.length === depth + 1 && numbers.length > 0) throw new TypeError(`${role}: an array beside numbers, at depth ${depth}`);
      flatten(item as NestedNumbers, depth + 1, shape, numbers, most, role);
    } else {
      throw new TypeError(`${role}: expected numbers or arrays of numbers, got ${describe(item)}`);
    }
  }
}

function isIntegers(value: NestedNumbers): boolean {
  return ArrayBuffer.isView(value) && !isFloats(value);
}

function isFloats(array: unknown): boolean {
  return array instanceof Float32Array || array instanceof Float64Array || array instanceof Float16Array;
}

function itemsOf(
  value: NestedNumbers,
  most: number,
  role: string,
): ArrayLike<number | bigint | NestedNumbers> & Iterable<number | bigint | NestedNumbers> {
  if (Array.isArray(value)) return value;
  const items: (number | bigint | NestedNumbers)[] = [];
  for (const item of value) {
    if (items.length >= most) throw new RangeError(`${role}: an iterable of more items than the ${most} elements of the destination`);
    if (items.length === LONGEST) throw new RangeError(`${role}: an iterable of more than ${LONGEST} items: give a typed array`);
    items.push(item);
  }
  return items;
}

/** An array for elements of a type, or for floats that are to be converted to it. */
export function arrayFor({ array }: TypeInfo, length: number): TypedArray {
  // BF16 has no array of its own: its bits are made from floats.
  if (array === null || array as unknown === Uint16Array) return new Float32Array(length);
  return new array(new ArrayBuffer(length * array.BYTES_PER_ELEMENT));
}

function element(number: number | bigint, data: TypedArray, { name }: TypeInfo, role: string): number | bigint {
  if (isFloats(data)) return Number(number);
  if (typeof number === "number" && !Number.isInteger(number)) {
    throw new TypeError(`${role}: expected whole numbers for ${name}, got ${number}`);
  }
  const big = BigInt(number);
  if (BigInt.asIntN(data.BYTES_PER_ELEMENT * 8, big) !== big) throw new RangeError(`${role}: ${number} doesn't fit ${name}`);
  return data instanceof BigInt64Array ? big : Number(number);
}
