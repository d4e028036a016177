/**
 * Samples: some of a tensor's numbers, evenly spaced, for a picture that has fewer dots than the tensor has elements.
 *
 * A large tensor is never read or dequantized as a whole: only the rows that are shown, and of long rows only the blocks.
 *
 * @module
 */

import { lib } from "../../ffi/lib.js";
import type { TypedArray } from "../ndarray.ts";
import { isOnDevice } from "../operand.ts";
import { slice } from "../slice.ts";
import { typeInfo } from "../types.ts";
import { view } from "../view.ts";

/** The elements of a row up to which it is read as a whole where there can be no view. */
const LONG = 16_384;

/** Of longer rows so many elements are read, each with its block. */
const FEW = 48;

/** Of a side so many are shown, if there are so many. */
const LEAST = 16;

/** A rectangle of numbers out of a tensor's last two dimensions (row-major). */
export interface Tile {
  /** Where it is in the dimensions before those. */
  readonly index: readonly number[];
  /** The rows of the tensor that are there. */
  readonly rows: readonly number[];
  /** The columns. */
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
  const shape = slice(tensor).shape;
  const full = [...Array(Math.max(0, 2 - shape.length)).fill(1), ...shape];
  const read = readerOf(tensor);
  const [height, width] = full.slice(-2), outer = full.slice(0, -2);
  const side = read.isPiecewise ? Math.min(FEW, limits.side) : limits.side, part = side / Math.max(height, width);
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
export function spread(count: number, most: number): number[] {
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
  /** True if rows are too long to be read as a whole. */
  readonly isPiecewise: boolean;
  /** The elements of a row in some columns. */
  row(index: readonly number[], columns: readonly number[]): Float64Array;
}

function readerOf(tensor: lib.ggml_tensor): Reader {
  const whole = viewOf(tensor);
  if (whole !== null) {
    return { isPiecewise: false, row: (index, columns) => Float64Array.from(columns, (column) => Number(whole.get(...index, column))) };
  }
  const { blockSize } = typeInfo(tensor.type), length = slice(tensor).shape.at(-1)!;
  if (length <= LONG) {
    return {
      isPiecewise: false,
      row: (index, columns) => {
        const numbers = view<TypedArray>(slice(tensor, ...index, null), { allowCopy: true });
        return Float64Array.from(columns, (column) => Number(numbers.get(column)));
      },
    };
  }
  return {
    isPiecewise: true,
    row: (index, columns) =>
      Float64Array.from(columns, (column) => {
        const begin = Math.floor(column / blockSize) * blockSize;
        return Number(view<TypedArray>(slice(tensor, ...index, [begin, begin + blockSize]), { allowCopy: true }).get(column - begin));
      }),
  };
}

/** The numbers where they lie; null if there can be no view of them. */
function viewOf(tensor: lib.ggml_tensor) {
  const { array, isQuantized } = typeInfo(tensor.type);
  if (isQuantized || array === null || tensor.type === lib.GGML_TYPE_BF16 || isOnDevice(tensor)) return null;
  try {
    return view<TypedArray>(tensor);
  } catch (error) {
    if (tensor.data === null) throw error;
    return null; // it lies at no multiples of its elements
  }
}
