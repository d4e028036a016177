/**
 * Corners: of an array of any size, the elements at the beginning and the end of each dimension, read without touching the others.
 *
 * With enough of them it is the whole array, in row-major order, whatever its layout, type and memory: that is how it is printed and written.
 *
 * @module
 */

import { describe } from "../../ffi/core/describe.ts";
import { lib } from "../../ffi/generated/lib.js";
import { allocate } from "../copying/allocate.ts";
import { countOf } from "../copying/box.ts";
import { type Elements, expectInside, expectThere, isNdArray, ndarray, type TypedArray } from "../arrays/ndarray.ts";
import { plainArray, plainElements } from "../arrays/plain.ts";
import { TensorSlice } from "../copying/tensor_slice.ts";
import { rowsOfTensor } from "./tensor_rows.ts";

/** What is read of an array. */
export interface Corners {
  /** The elements that were read, in row-major order. */
  readonly values: TypedArray;
  /** The array's own shape, row-major. */
  readonly shape: readonly number[];
  /** So many elements from either end of each dimension were read; all, of a dimension without more. */
  readonly edgeItems: number;
}

/** An array, row by row. */
export interface Rows {
  /** Says that every row will be read: from a device they are fetched at once then. */
  fetch?(): void;
  /** Row-major. */
  readonly shape: readonly number[];
  /** A new array for elements: of the type itself, or of the 32-bit floats that it is read as. */
  create(length: number): TypedArray;
  /** Reads the elements `start` to `end` of the row at an index, which has all dimensions but the last, into `to` from `at` on. */
  read(index: readonly number[], start: number, end: number, to: TypedArray, at: number): void;
}

/**
 * An array to be read row by row.
 *
 * @param name What asks, for errors.
 * @throws {TypeError} If it is no tensor, slice, `ndarray` or typed array, or ggml can't convert its type.
 * @throws {Error} If it has no memory.
 */
export function rowsOf(value: unknown, name: string): Rows {
  if (value instanceof lib.ggml_tensor) return rowsOfTensor(value, null, name);
  if (value instanceof TensorSlice) return rowsOfTensor(value.tensor, value, name);
  if (isNdArray(value)) return rowsOfArray(value, name);
  if (ArrayBuffer.isView(value) && "length" in value) {
    return rowsOfArray(ndarray(plainArray(value as TypedArray)), name);
  }
  throw new TypeError(`${name}: expected a tensor, a slice, an ndarray or a typed array, got ${describe(value)}`);
}

/** Reads the elements at most `edgeItems` away from an end of each dimension. */
export function corners(rows: Rows, edgeItems: number): Corners {
  const { shape } = rows;
  if (edgeItems === Infinity) rows.fetch?.();
  const outer = shape.slice(0, -1), rowLength = shape.at(-1) ?? 1;
  const ranges = rowLength > 2 * edgeItems ? [[0, edgeItems], [rowLength - edgeItems, rowLength]] : [[0, rowLength]];
  const values = rows.create(countOf(shape.map((n) => Math.min(n, 2 * edgeItems))));
  if (values.length === 0) return { values, shape, edgeItems };
  let at = 0;
  const visit = (index: readonly number[]) => {
    if (index.length < outer.length) return eachKept(outer[index.length], edgeItems, (i) => visit([...index, i]));
    for (const [start, end] of ranges) {
      rows.read(index, start, end, values, at);
      at += end - start;
    }
  };
  visit([]);
  return { values, shape, edgeItems };
}

function eachKept(length: number, edgeItems: number, visit: (i: number) => void): void {
  for (let i = 0; i < length; i++) {
    if (length > 2 * edgeItems && i === edgeItems) i = length - edgeItems;
    visit(i);
  }
}

function rowsOfArray(given: Elements, name: string): Rows {
  const array = plainElements(given), { data, shape, stride, offset } = array;
  const what = () => `${name}: an ndarray of shape [${shape.join(", ")}]`;
  expectThere(data, what);
  expectInside(array, what);
  const step = stride.at(-1) ?? 1, kind = data.constructor as new (memory: ArrayBuffer) => TypedArray;
  return {
    shape,
    create: (length) => new kind(allocate(length * data.BYTES_PER_ELEMENT, name).buffer),
    read(index, start, end, to, at) {
      let from = offset + start * step;
      index.forEach((i, axis) => from += i * stride[axis]);
      for (let i = start; i < end; i++, from += step) to[at++] = data[from];
    },
  };
}
