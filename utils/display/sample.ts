/**
 * Samples: some of a tensor's numbers, evenly spaced, for a picture that has fewer dots than the tensor has elements.
 *
 * A large tensor is never read or dequantized as a whole: only the rows that are shown, and of long rows only the blocks.
 *
 * @module
 */

import type { lib } from "../../ffi/generated/lib.js";
import { isOnDevice } from "../copying/operand.ts";
import { sliceOf } from "../copying/tensor_slice.ts";
import { rowsOfTensor } from "../printing/tensor_rows.ts";
import { typeInfo } from "../copying/types.ts";

/** A row of up to so many elements that lie one after the other is read as a whole. */
const LONG = 16_384;

/** Of other rows so many elements are read where each costs a call: a block to dequantize, or a way to a device. */
const FEW = 48;

/** How many numbers of a side are shown at least, if there are so many. */
const LEAST = 16;

/** A rectangle of numbers out of a tensor's last two dimensions (row-major). */
export interface Tile {
  /** Where it is in the dimensions before those. */
  readonly index: readonly number[];
  /** The rows of the tensor that are there. */
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** Row by row. */
  readonly values: Float64Array;
}

/** Some of a tensor's numbers. */
export interface Sample {
  /** The tensor's shape, row-major, without leading ones; a vector is one row. */
  readonly shape: readonly number[];
  readonly tiles: readonly Tile[];
  /** True if every element is there. */
  readonly isAll: boolean;
  /** How many are there, of how many. */
  readonly count: number;
  readonly total: number;
}

/** How much to read. */
export interface Limits {
  /** The most numbers along the longer side of a rectangle; along the other as many as keep its shape, but for very long ones. */
  readonly side: number;
  readonly tiles: number;
}

/**
 * Reads numbers out of a tensor.
 *
 * @throws {Error} If it has none that can be read.
 */
export function sampleOf(tensor: lib.ggml_tensor, limits: Limits): Sample {
  const shape = sliceOf(tensor, []).shape;
  const full = [...Array(Math.max(0, 2 - shape.length)).fill(1), ...shape];
  const read = readerOf(tensor);
  const [height, width] = full.slice(-2), outer = full.slice(0, -2);
  const side = read.isSlow && height > 1 ? Math.min(FEW, limits.side) : limits.side, part = side / Math.max(height, width);
  const rows = spread(height, fit(height, part)), columns = spread(width, fit(width, part));
  const outerCount = outer.reduce((a, b) => a * b, 1);
  const tiles = spread(outerCount, limits.tiles).map((n): Tile => {
    const index = unravel(n, outer), values = new Float64Array(rows.length * columns.length);
    rows.forEach((row, i) => values.set(read.row([...index, row].slice(full.length - shape.length), columns), i * columns.length));
    return { index, rows, columns, values };
  });
  const total = outerCount * height * width, count = tiles.length * rows.length * columns.length;
  return { shape: full, tiles, isAll: count === total, count, total };
}

/** How many of `count` to take, if it is a part of them, but not too few to see something. */
function fit(count: number, part: number): number {
  return part >= 1 ? count : Math.max(Math.round(count * part), Math.min(count, LEAST));
}

/** At most `most` whole numbers from 0 to below `count`, evenly spaced. */
function spread(count: number, most: number): number[] {
  const length = Math.min(count, most);
  return Array.from({ length }, (_, i) => Math.floor(i * count / length));
}

function unravel(n: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (const count of shape.toReversed()) {
    index.unshift(n % count);
    n = Math.floor(n / count);
  }
  return index;
}

interface Reader {
  /** True if each element costs a call of C, and there are better few of them. */
  readonly isSlow: boolean;
  /** The elements of a row in some columns. */
  row(index: readonly number[], columns: readonly number[]): Float64Array;
}

function readerOf(tensor: lib.ggml_tensor): Reader {
  const { strides, shape, unit, blockAxis } = sliceOf(tensor, []).layout;
  const { read, create } = rowsOfTensor(tensor, null, "sample");
  const isRun = strides.at(-1) === unit && blockAxis === shape.length - 1, length = shape.at(-1)!;
  if (isRun && length <= LONG) {
    const row = create(length);
    return {
      isSlow: false,
      row(index, columns) {
        read(index, 0, length, row, 0);
        return Float64Array.from(columns, (column) => Number(row[column]));
      },
    };
  }
  return {
    isSlow: typeInfo(tensor.type).isQuantized || isOnDevice(tensor),
    row(index, columns) {
      const numbers = create(columns.length);
      columns.forEach((column, i) => read(index, column, column + 1, numbers, i));
      return Float64Array.from(numbers, Number);
    },
  };
}
