/**
 * Stages: host memory that stands in for a part of a tensor on a device, and the calls that carry bytes between the two.
 *
 * Where the elements are one run of bytes on the device, that is one call. Where they are long rows, one call of ggml's `_2d` functions carries
 * many. Where they are short and scattered, everything between the first and the last is read, and, to write some of it, written back: a call
 * an element would take a thousand times as long.
 *
 * @module
 */

import { cBytes } from "../../ffi/core/c_memory.ts";
import { onBehalf } from "../../ffi/core/on_behalf.ts";
import { lib } from "../../ffi/generated/lib.js";
import { has } from "../../ffi/load/library.ts";
import { type Axis, type Box, type Layout, overlapsItself, pieces, sortBy } from "./box.ts";
import { unpermuted } from "./layout.ts";
import { lengthOf } from "./move.ts";
import type { Plan } from "./plan.ts";
import type { Bytes } from "./types.ts";

/** The most bytes of a piece: 16 MiB. */
export const PIECE = 16 * 1024 * 1024;

/** Rows of fewer bytes are not worth a call each. */
const LONG_ROW = 4096;

/** Bytes that one call of ggml's carries: `copies` times `size`, `stride` apart on the device, one after the other on the host. */
export interface Call {
  /** Where they are in the stage. */
  readonly at: number;
  /** Where they are in the tensor's data. */
  readonly offset: number;
  readonly size: number;
  readonly copies: number;
  readonly stride: number;
}

/** Host memory for one piece. */
export interface Stage {
  readonly bytes: Bytes;
  /** The piece, counted from the stage's memory on the device's side. */
  readonly box: Box;
  readonly calls: readonly Call[];
  /** True if it holds bytes besides the piece's, which must be read before they are written back. */
  readonly hasMore: boolean;
}

type Side = "from" | "to";
const BLOCK = { from: "fromBlock", to: "toBlock" } as const;

/** Cuts a plan with a device on one side or both into pieces that a stage holds. */
export function stagePieces({ source, box, conversion: { from, to, imatrix } }: Plan): Generator<Box> {
  const side = source.bytes === null ? "from" : "to";
  const bytesEach = Math.max(from.typeSize / from.blockSize, to.typeSize / to.blockSize);
  const wholeRows = imatrix !== null;
  // Where two written elements are the same, the last one in row-major order must come last.
  const inOrder = overlapsItself(box.axes, to.typeSize);
  const sorted = inOrder ? box : sortBy(side, box, (axis) => wholeRows && axis.toBlock > 1);
  return pieces(sorted, Math.floor(PIECE / bytesEach), wholeRows);
}

/** One dimension on the device, in units; `axis` is its index in the box. */
interface Line {
  readonly axis: number;
  readonly count: number;
  readonly stride: number;
}

/**
 * Makes a stage.
 *
 * @param side The side of the box that is on the device.
 * @param unit Bytes in a unit of that side: an element or a block.
 * @param memory Memory for so many bytes that is there already; null where there is none.
 */
export function stage(side: Side, box: Box, unit: number, memory: (length: number) => Bytes | null = () => null): Stage {
  const allocate = (length: number) => memory(length) ?? cBytes(length);
  const lines = linesOf(side, box.axes);
  const begin = box[side] + lowest(side, box.axes);
  const rows = merged(lines);
  const run = rows.length > 0 && rows.at(-1)!.stride === unit ? unit * rows.pop()!.count : unit;
  const reach = lines.reduce((length, { count, stride }) => length + (count - 1) * stride, unit);
  if (rows.length === 0 || (run < LONG_ROW && reach <= 4 * PIECE)) {
    const calls = [{ at: 0, offset: begin, size: reach, copies: 1, stride: reach }];
    return { bytes: allocate(reach), box: { ...box, [side]: box[side] - begin }, calls, hasMore: rows.length > 0 };
  }
  return packed(side, box, unit, lines, rows, run, begin, allocate);
}

/** A stage that holds the rows one after the other. */
function packed(
  side: Side,
  box: Box,
  unit: number,
  lines: readonly Line[],
  rows: Line[],
  run: number,
  begin: number,
  allocate: (length: number) => Bytes,
): Stage {
  const axes: Axis[] = [...box.axes];
  let next = unit;
  for (const { axis, count } of lines.toReversed()) {
    axes[axis] = { ...axes[axis], [side]: Math.sign(axes[axis][side]) * next };
    next *= count;
  }
  const inner = rows.pop()!;
  const calls: Call[] = [];
  each(
    rows,
    begin,
    (offset) => calls.push({ at: calls.length * run * inner.count, offset, size: run, copies: inner.count, stride: inner.stride }),
  );
  return { bytes: allocate(next), box: { ...box, axes, [side]: -lowest(side, axes) }, calls, hasMore: false };
}

/** The dimensions with more than one place, from the largest stride to the smallest. */
function linesOf(side: Side, axes: readonly Axis[]): Line[] {
  return axes.map((axis, i) => ({ axis: i, count: axis.count / axis[BLOCK[side]], stride: Math.abs(axis[side]) }))
    .filter(({ count, stride }) => count > 1 && stride > 0)
    .sort((a, b) => b.stride - a.stride);
}

function merged(lines: readonly Line[]): Line[] {
  const rows: Line[] = [];
  for (const line of lines) {
    const outer = rows.at(-1);
    if (outer !== undefined && outer.stride === line.stride * line.count) {
      rows[rows.length - 1] = { ...line, count: outer.count * line.count };
    } else rows.push(line);
  }
  return rows;
}

/** How far before the first element the lowest one is, as a number that isn't positive. */
function lowest(side: Side, axes: readonly Axis[]): number {
  return axes.reduce((sum, axis) => sum + Math.min(0, (axis.count / axis[BLOCK[side]] - 1) * axis[side]), 0);
}

function each(lines: readonly Line[], offset: number, act: (offset: number) => void): void {
  if (lines.length === 0) return act(offset);
  for (let i = 0; i < lines[0].count; i++) each(lines.slice(1), offset + i * lines[0].stride, act);
}

/** Reads what a stage stands for. `where`: the function that the caller called, for errors. */
export function load({ bytes, calls }: Stage, part: lib.ggml_tensor, where: string): void {
  const tensor = unpermuted(part);
  for (const { at, offset, size, copies, stride } of calls) {
    const part = bytes.subarray(at, at + size * copies);
    if (copies === 1) onBehalf(where, lib.ggml_backend_tensor_get, tensor, part, offset, size);
    else inPieces("ggml_backend_tensor_get_2d", lib.ggml_backend_tensor_get, where)(tensor, part, offset, size, copies, stride, size);
  }
}

/** Writes what a stage stands for. */
export function store({ bytes, calls }: Stage, part: lib.ggml_tensor, where: string): void {
  const tensor = unpermuted(part);
  for (const { at, offset, size, copies, stride } of calls) {
    const part = bytes.subarray(at, at + size * copies);
    if (copies === 1) onBehalf(where, lib.ggml_backend_tensor_set, tensor, part, offset, size);
    else inPieces("ggml_backend_tensor_set_2d", lib.ggml_backend_tensor_set, where)(tensor, part, offset, size, copies, stride, size);
  }
}

type Move = (tensor: lib.ggml_tensor, part: Uint8Array<ArrayBuffer>, offset: number, size: number) => void;
type MovePieces = (...args: [...Parameters<Move>, copies: number, stride: number, strideHere: number]) => void;

/** C's function for pieces of one size, a stride apart; what does the same one by one where this release or the library lacks it. */
function inPieces(name: string, move: Move, where: string): MovePieces {
  if (has(name)) return (...args) => onBehalf(where, (lib as unknown as Record<string, MovePieces>)[name], ...args);
  return (tensor, part, offset, size, copies, stride, strideHere) => {
    for (let i = 0; i < copies; i++) {
      onBehalf(where, move, tensor, part.subarray(i * strideHere, i * strideHere + size), offset + i * stride, size);
    }
  };
}

/** True for one whole tensor to another of the same layout: `ggml_backend_tensor_copy` goes from device to device where it can. */
export function isWholeCopy({ source, destination, conversion: { from, to } }: Plan): boolean {
  if (source.bytes !== null || destination.bytes !== null || from !== to) return false;
  const a = source.tensor!, b = destination.tensor!;
  if (!isWhole(a, source.layout!) || !isWhole(b, destination.layout!)) return false;
  return String(a.ne) === String(b.ne) && String(a.nb) === String(b.nb);
}

/** True if a layout has all elements of its tensor, one after the other. */
function isWhole(tensor: lib.ggml_tensor, { offset, shape, blockSize, unit }: Layout): boolean {
  return offset === 0 && lib.ggml_is_contiguous(tensor) &&
    lengthOf(shape.map((count) => ({ count }) as Axis), 1) === lib.ggml_nelements(tensor) &&
    lib.ggml_nbytes(tensor) === lib.ggml_nelements(tensor) / blockSize * unit;
}
