/**
 * Nested arrays of numbers, as JavaScript writes matrices: `[[1, 2], [3, 4]]`. They become an `ndarray` of the type that is wanted.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { type NdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { indexOf, inexact, isExact } from "./exact.ts";
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
 * integer to floats, which round it; a bigint is, and so is an element of an array of integers. Each names the place.
 */
export function fromNested(value: NestedNumbers, type: TypeInfo, most: number, role: string): NdArray<TypedArray> {
  const shape: number[] = [], numbers: (number | bigint)[] = [];
  flatten(value, [], shape, numbers, most, role);
  const data = arrayFor(type, numbers.length);
  numbers.forEach((number, i) => {
    data[i] = element(number, i, shape, data, type, role) as never;
    if (typeof number === "bigint" && !isExact(number, data[i], type)) throw inexact(role, number, i, shape, type);
  });
  return ndarray(data, shape);
}

/** @param place The index of `value` in what the caller gave. */
function flatten(
  value: NestedNumbers,
  place: readonly number[],
  shape: number[],
  numbers: (number | bigint)[],
  most: number,
  role: string,
): void {
  const depth = place.length;
  if (depth === DEEPEST) throw new RangeError(`${role}: arrays in arrays, more than ${DEEPEST} deep`);
  const items = itemsOf(value, most, role);
  const expected = shape[depth] ??= items.length;
  if (items.length !== expected) {
    const first = rowAt(place.map(() => 0)), noun = shape.length > depth + 1 ? "rows" : "numbers";
    throw new RangeError(`${role}: ${rowAt(place)} has ${items.length} ${noun}, where ${first} has ${expected}`);
  }
  const areIntegers = isIntegers(value), holdsArrays = () => shape.length > depth + 1;
  let i = 0;
  for (const item of items) {
    if ((typeof item === "number" || typeof item === "bigint") && !holdsArrays()) {
      numbers.push(areIntegers ? BigInt(item) : item);
    } else if ((isNested(item) || isTypedArray(item)) && (holdsArrays() || numbers.length === 0)) {
      flatten(item as NestedNumbers, [...place, i], shape, numbers, most, role);
    } else {
      const wanted = holdsArrays() ? "an array of numbers" : numbers.length > 0 ? "a number" : "a number or an array of numbers";
      throw new TypeError(`${role}: expected ${wanted} at [${[...place, i].join(", ")}], got ${describe(item)}`);
    }
    i++;
  }
}

function rowAt(place: readonly number[]): string {
  return place.length === 1 ? `row ${place[0]}` : `row [${place.join(", ")}]`;
}

function isTypedArray(value: unknown): boolean {
  return ArrayBuffer.isView(value) && "length" in value;
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

function element(
  number: number | bigint,
  position: number,
  shape: readonly number[],
  data: TypedArray,
  type: TypeInfo,
  role: string,
): number | bigint {
  if (isFloats(data)) return Number(number);
  if (typeof number === "number" && !Number.isInteger(number)) {
    throw new TypeError(`${role}: expected whole numbers for ${type.name}, got ${number} at [${indexOf(position, shape).join(", ")}]`);
  }
  const big = BigInt(number);
  if (BigInt.asIntN(data.BYTES_PER_ELEMENT * 8, big) !== big) throw inexact(role, number, position, shape, type);
  return data instanceof BigInt64Array ? big : Number(number);
}
