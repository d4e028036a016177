/**
 * `convert`: elements of one type into elements of another, in host memory, whatever the strides on either side.
 *
 * A box is cut into pieces. Of each, the elements that are read are gathered, if they don't lie one after the other already, converted by
 * ggml's routine, and scattered to where they belong. What goes from floats or to floats and lies one after the other on both sides is one
 * call from the one memory into the other; else a piece is small enough for the processor's cache. Results don't depend on the cut: each block is
 * converted by itself, but where an importance matrix says what a column of a row is worth; then rows stay whole.
 *
 * @module
 */

import { type Axis, type Box, isRun, merge, overlapsItself, pieces, sortBy } from "./box.ts";
import { lib } from "../../ffi/generated/lib.js";
import { gather, lengthOf, move, pack } from "./move.ts";
import { type Bytes, type TypeInfo, typeInfo } from "./types.ts";

export interface Conversion {
  readonly from: TypeInfo;
  readonly to: TypeInfo;
  /** What the columns of a row are worth, for quantizing. */
  readonly imatrix: Float32Array<ArrayBuffer> | null;
  /** The function that the caller called, for errors. */
  readonly where: string;
}

/** The most elements of a piece that needs memory in between: as floats, 256 KiB. */
const PIECE = 65536;

/** Bytes in a float. */
const FLOAT = 4;

/** True if elements are copied as they are. Blocks that lie across each other can't be. */
export function isPlain(axes: readonly Axis[], { from, to }: Conversion): boolean {
  return from === to && axes.every(({ fromBlock, toBlock }) => fromBlock === toBlock);
}

/** The box of blocks of elements that are copied as they are. */
export function unitsOf({ axes, from, to }: Box): Box {
  return { axes: inUnits("toBlock", axes), from, to };
}

/** Converts all elements of a box. */
export function convert(from: Bytes, to: Bytes, box: Box, conversion: Conversion): void {
  const ordered = order(box, conversion);
  for (const piece of pieces(ordered, isDirect(ordered.axes, conversion) ? Infinity : PIECE, conversion.imatrix !== null)) {
    convertPiece(from, to, piece, conversion);
  }
}

function convertPiece(from: Bytes, to: Bytes, piece: Box, conversion: Conversion): void {
  const prepared = prepare(from, to, piece, conversion, pool);
  run(prepared, pool);
  prepared.finish();
}

/** The box's axes in the order in which it is converted: rows, which the blocks lie along, last. */
export function order(box: Box, { to, imatrix }: Conversion): Box {
  const { axes } = box;
  // Where two written elements are the same, the last one in row-major order must come last.
  if (overlapsItself(axes, to.typeSize)) return box;
  const block = axes.some(({ toBlock }) => toBlock > 1) ? "toBlock" : "fromBlock";
  return merge(sortBy("to", box, (axis) => axis[block] > 1), imatrix !== null);
}

/** True if the routine can read from where the elements are and write to where they belong. */
function isDirect(axes: readonly Axis[], { from, to }: Conversion): boolean {
  return (isFloats(from) || isFloats(to)) && isRun("from", axes, from.typeSize) && isRun("to", axes, to.typeSize);
}

/** A piece whose elements lie one after the other. */
export interface Prepared extends Conversion {
  readonly source: Bytes;
  readonly target: Bytes;
  readonly rows: number;
  readonly rowLength: number;
  /** Puts the results where they belong, if they aren't there. */
  finish(): void;
}

/** Memory for one use at a time of each kind. */
export type Scratch = (use: "source" | "floats" | "target" | "blocks" | "crossed", length: number) => Bytes;

/** Gathers what a piece reads, and finds a place for what it writes. */
export function prepare(from: Bytes, to: Bytes, piece: Box, conversion: Conversion, scratch: Scratch): Prepared {
  const { axes } = piece, read = conversion.from.typeSize, written = conversion.to.typeSize;
  const last = axes.length - 1;
  if (axes.some(({ fromBlock }, i) => fromBlock > 1 && i !== last)) return prepareCrossed(from, to, piece, conversion, scratch);
  const source = gather(from, { ...piece, axes: inUnits("fromBlock", axes) }, read, (length) => scratch("source", length));
  const rowLength = last < 0 ? 1 : axes[last].count;
  const shared = { ...conversion, source, rows: lengthOf(axes.slice(0, -1), 1), rowLength };
  const units = inUnits("toBlock", axes), length = lengthOf(units, written);
  if (isRun("to", units, written)) return { ...shared, target: to.subarray(piece.to, piece.to + length), finish() {} };
  const target = scratch("target", length);
  const box = { axes: pack("from", units, written), from: 0, to: piece.to };
  return { ...shared, target, finish: () => move(target, to, box, written) };
}

/** Prepares a piece where blocks lie across the rows that are written, in a transposed quantized tensor: they are converted to floats first. */
function prepareCrossed(from: Bytes, to: Bytes, piece: Box, conversion: Conversion, scratch: Scratch): Prepared {
  const { from: { toFloat, typeSize } } = conversion;
  const blocksLast = sortBy("from", piece, ({ fromBlock }) => fromBlock > 1);
  const blocks = gather(
    from,
    { ...blocksLast, axes: inUnits("fromBlock", blocksLast.axes) },
    typeSize,
    (length) => scratch("blocks", length),
  );
  const count = lengthOf(piece.axes, 1), floats = scratch("crossed", count * FLOAT);
  toFloat!(blocks, floats, count);
  const packed = pack("from", blocksLast.axes.map((axis) => ({ ...axis, fromBlock: 1 })), FLOAT);
  const axes = piece.axes.map((axis) => packed[blocksLast.axes.indexOf(axis)]);
  return prepare(floats, to, { axes, from: 0, to: piece.to }, { ...conversion, from: typeInfo(lib.GGML_TYPE_F32) }, scratch);
}

/** Converts what was prepared. */
function run({ source, target, rows, rowLength, from, to, imatrix, where }: Prepared, scratch: Scratch): void {
  const count = rows * rowLength;
  if (isFloats(to)) return from.toFloat!(source, target, count);
  if (isFloats(from)) return to.fromFloat!(source, target, rows, rowLength, imatrix, where);
  const floats = scratch("floats", count * FLOAT);
  from.toFloat!(source, floats, count);
  to.fromFloat!(floats, target, rows, rowLength, imatrix, where);
}

/** True for the type that every other converts by way of. */
export function isFloats({ type }: TypeInfo): boolean {
  return type === lib.GGML_TYPE_F32;
}

function inUnits(block: "fromBlock" | "toBlock", axes: readonly Axis[]): Axis[] {
  return axes.map((axis) => ({ ...axis, count: axis.count / axis[block], fromBlock: 1, toBlock: 1 }));
}

/** Memory that is used again: making 256 KiB takes longer than to convert a small tensor. */
const kept: Map<string, Bytes> = new Map();
const MOST_KEPT = PIECE * 8;

function pool(use: string, length: number): Bytes {
  if (length > MOST_KEPT) return new Uint8Array(length);
  let bytes = kept.get(use);
  if (bytes === undefined || bytes.length < length) kept.set(use, bytes = new Uint8Array(length));
  return bytes.subarray(0, length);
}
