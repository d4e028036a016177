/**
 * `move`: elements from one place to another as they are, whatever the strides on either side.
 *
 * Runs of bytes go by `TypedArray.set`, which is C's `memmove`; everything else by loops over the widest integers that fit, so that no bit of
 * a NaN changes. Two dimensions that lie the other way around on the two sides are copied in tiles, which stay in the processor's cache: a
 * transposed matrix takes a third of the time that it takes row by row.
 *
 * @module
 */

import { type Axis, type Box, isRun, merge, overlapsItself, sortBy } from "./box.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Integers of which an element is made: `width` bytes each. */
interface Words {
  readonly width: number;
  make(bytes: Bytes): Uint8Array | Uint16Array | Uint32Array;
}

const WORDS: readonly Words[] = [Uint32Array, Uint16Array, Uint8Array].map((array) => ({
  width: array.BYTES_PER_ELEMENT,
  make: ({ buffer, byteOffset, byteLength }) => new array(buffer, byteOffset, Math.floor(byteLength / array.BYTES_PER_ELEMENT)),
}));

/** Elements on one side of a tile: 16 times 16 of 4 bytes are 32 cache lines. */
const TILE = 16;

/** A run of fewer bytes is copied faster by a loop than by a call of `set`. */
const SHORT_RUN = 64;

/** An axis of one element. */
const ONE: Axis = { count: 1, from: 0, to: 0, fromBlock: 1, toBlock: 1 };

/**
 * Moves elements.
 *
 * @param from The memory that the box's read side counts from.
 * @param to The same for the written side. It may be the same memory only if the elements of the two sides don't overlap, or both are one run.
 * @param box Which; counted in units.
 * @param unit Bytes in a unit: an element, or a block of a quantized type.
 */
export function move(from: Bytes, to: Bytes, box: Box, unit: number): void {
  if (box.axes.some(({ count }) => count === 0)) return;
  // Where two written elements are the same, the last one in row-major order must come last.
  const inOrder = overlapsItself(box.axes, unit);
  const { axes, from: start, to: end } = inOrder ? box : merge(sortBy("to", box));
  if (axes.length === 0) return to.set(from.subarray(start, start + unit), end);
  const inner = axes[axes.length - 1];
  if (inner.from === unit && inner.to === unit && inner.count * unit >= SHORT_RUN) {
    const length = inner.count * unit;
    return eachOf(axes.slice(0, -1), start, end, (a, b) => to.set(from.subarray(a, a + length), b));
  }
  loops(from, to, { axes, from: start, to: end }, unit, inOrder);
}

/** Copies element by element: the last axis, and with it the one that lies closest on the side that is read. */
function loops(from: Bytes, to: Bytes, { axes, from: start, to: end }: Box, unit: number, inOrder: boolean): void {
  const outer = axes.slice(0, -1), inner = axes[axes.length - 1];
  const across = inOrder ? outer.length - 1 : closest(outer);
  const other = across < 0 ? ONE : outer.splice(across, 1)[0];
  const { width, make } = WORDS.find(({ width }) => fits(width, from.byteOffset, to.byteOffset, start, end, unit, axes))!;
  const words = unit / width, source = make(from), target = make(to);
  const [i, j] = [other, inner].map((axis) => ({ count: axis.count, from: axis.from / width, to: axis.to / width }));
  const tile = !inOrder && Math.abs(i.from) < Math.abs(j.from) ? TILE : Infinity;
  eachOf(outer, start, end, (a, b) => {
    for (let word = 0; word < words; word++) {
      plane(source, target, a / width + word, b / width + word, i.count, j.count, i.from, j.from, i.to, j.to, tile);
    }
  });
}

/** The axis with the smallest stride on the side that is read; -1 if there is none. */
function closest(axes: readonly Axis[]): number {
  let best = axes.length - 1;
  axes.forEach((axis, i) => {
    if (Math.abs(axis.from) < Math.abs(axes[best].from)) best = i;
  });
  return best;
}

function fits(width: number, fromBase: number, toBase: number, start: number, end: number, unit: number, axes: readonly Axis[]): boolean {
  const bytes = [fromBase, toBase, start, end, unit];
  return bytes.every((n) => n % width === 0) && axes.every((axis) => axis.from % width === 0 && axis.to % width === 0);
}

/** Copies a plane, tile by tile. A function of numbers alone, since it is where the time goes. */
function plane(
  source: Uint8Array | Uint16Array | Uint32Array,
  target: Uint8Array | Uint16Array | Uint32Array,
  start: number,
  end: number,
  rows: number,
  columns: number,
  fromRow: number,
  fromColumn: number,
  toRow: number,
  toColumn: number,
  tile: number,
): void {
  for (let top = 0; top < rows; top += tile) {
    const bottom = Math.min(top + tile, rows);
    for (let left = 0; left < columns; left += tile) {
      const right = Math.min(left + tile, columns);
      for (let row = top; row < bottom; row++) {
        let a = start + row * fromRow + left * fromColumn, b = end + row * toRow + left * toColumn;
        for (let column = left; column < right; column++) {
          target[b] = source[a];
          a += fromColumn;
          b += toColumn;
        }
      }
    }
  }
}

/** Calls `act` with the offsets of every element of some axes, in their order. */
function eachOf(axes: readonly Axis[], from: number, to: number, act: (from: number, to: number) => void): void {
  if (axes.length === 0) return act(from, to);
  const [axis, ...inner] = axes;
  for (let i = 0; i < axis.count; i++) eachOf(inner, from + i * axis.from, to + i * axis.to, act);
}

/**
 * The bytes of a box's read side in the order of its axes.
 *
 * @returns A part of `from` if they are one run there already, else of `scratch`.
 */
export function gather(from: Bytes, box: Box, unit: number, scratch: (length: number) => Bytes): Bytes {
  const length = lengthOf(box.axes, unit);
  if (isRun("from", box.axes, unit)) return from.subarray(box.from, box.from + length);
  const packed = pack("to", box.axes, unit);
  const bytes = scratch(length);
  move(from, bytes, { axes: packed, from: box.from, to: 0 }, unit);
  return bytes;
}

/** The bytes of a box of units. */
export function lengthOf(axes: readonly Axis[], unit: number): number {
  return axes.reduce((length, { count }) => length * count, unit);
}

/** Axes with one side's elements one after the other. */
export function pack(side: "from" | "to", axes: readonly Axis[], unit: number): Axis[] {
  const packed = [...axes];
  let next = unit;
  for (let i = packed.length - 1; i >= 0; i--) {
    packed[i] = { ...packed[i], [side]: next };
    next *= packed[i].count;
  }
  return packed;
}
